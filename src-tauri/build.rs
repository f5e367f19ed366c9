//! Declares the commands the page may call. Tauri generates one permission per command from this list
//! (`capabilities/main.json` grants them), and a command that is not listed here cannot be called at all.

const COMMANDS: &[&str] = &["call", "call_binary", "open_stream", "subscribe", "unsubscribe", "mark"];

fn main() {
    // The bundle is compiled into the binary, so a new bundle means a new binary.
    println!("cargo:rerun-if-changed=../ui/dist");
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest)) {
        eprintln!("{error:#}");
        std::process::exit(1);
    }
}
