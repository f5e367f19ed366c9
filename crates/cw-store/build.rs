//! Rebuilds when a migration is added: `migrate!` watches the files it saw, not the directories.
fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
