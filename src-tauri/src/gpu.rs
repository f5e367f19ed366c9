//! On a Linux machine without a GPU the web engine's default way of painting goes through an emulated one. Its plain
//! way has the first chart on the screen in two thirds of the time.

use std::os::unix::process::CommandExt as _;
use std::path::Path;

const PLAIN_PAINTING: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// Starts this program again with plain painting if there is no GPU and nobody has chosen. The web engine reads its
/// environment, which a running program cannot change safely; the process stays the same one. Call before any thread
/// or file is opened.
pub fn choose_painting() {
    if std::env::var_os(PLAIN_PAINTING).is_some() || has_gpu(Path::new("/dev/dri")) {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let error = std::process::Command::new(program).args(std::env::args_os().skip(1)).env(PLAIN_PAINTING, "1").exec();
    // Still here: it paints the slower way.
    eprintln!("cannot start again with plain painting: {error}");
}

/// Whether the kernel offers a device that renders.
fn has_gpu(devices: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(devices) else { return false };
    entries.flatten().any(|entry| entry.file_name().as_encoded_bytes().starts_with(b"renderD"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_is_a_render_node() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!has_gpu(&dir.path().join("none")));
        std::fs::write(dir.path().join("card0"), "").unwrap();
        assert!(!has_gpu(dir.path()), "a screen without a renderer");
        std::fs::write(dir.path().join("renderD128"), "").unwrap();
        assert!(has_gpu(dir.path()));
    }
}
