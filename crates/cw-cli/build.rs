//! Puts the built UI (`ui/dist`), if there is one, into the binary.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let dist = root.join("../../ui/dist");
    println!("cargo:rerun-if-changed={}", dist.display());
    let mut files = Vec::new();
    collect(&dist, "", &mut files);
    files.sort();
    let mut source = String::from("&[\n");
    for (name, path) in &files {
        writeln!(source, "    ({name:?}, include_bytes!({path:?}).as_slice()),")
            .expect("writing to a String cannot fail");
    }
    source.push_str("]\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("ui.rs");
    std::fs::write(out, source).expect("the output folder can be written");
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let path = entry.path();
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files);
        } else if let Some(path) = path.canonicalize().ok().and_then(|path| path.to_str().map(str::to_owned)) {
            files.push((name, path));
        }
    }
}
