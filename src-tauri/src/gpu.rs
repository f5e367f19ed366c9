//! On a Linux machine without a GPU the web engine's default way of painting goes through an emulated one. Its plain
//! way has the first chart on the screen in two thirds of the time.

use std::path::Path;

const PLAIN_PAINTING: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// Chooses plain painting if there is no GPU and nobody has chosen. Call first thing in `main`: the web engine reads its
/// environment when it starts, and the environment may only be written while nobody else can read it.
pub fn choose_painting() {
    if std::env::var_os(PLAIN_PAINTING).is_some() || has_gpu(Path::new("/dev/dri")) {
        return;
    }
    set_variable(PLAIN_PAINTING, "1");
}

#[expect(unsafe_code, reason = "starting the program a second time with the variable costs a tenth of a second")]
fn set_variable(name: &str, value: &str) {
    // SAFETY: `main` has just begun, so this process has one thread.
    unsafe { std::env::set_var(name, value) };
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
