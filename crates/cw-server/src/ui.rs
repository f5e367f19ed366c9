//! The files of the UI.

use std::path::{Component, Path, PathBuf};

use bytes::Bytes;

/// Where the UI's files come from.
pub trait UiAssets: Send + Sync {
    /// The file at a path below the UI's root, without a leading slash.
    fn get(&self, path: &str) -> Option<Bytes>;
}

/// The files of a folder, read when asked for.
pub struct UiDirectory(PathBuf);

impl UiDirectory {
    /// The folder that holds `index.html`; `None` when it is not there.
    pub fn open(root: &Path) -> Option<Self> {
        let root = root.canonicalize().ok()?;
        root.join("index.html").is_file().then_some(Self(root))
    }
}

impl UiAssets for UiDirectory {
    fn get(&self, path: &str) -> Option<Bytes> {
        let relative = Path::new(path);
        if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
            return None;
        }
        // Resolved, so that a link inside the folder cannot lead out of it.
        let file = self.0.join(relative).canonicalize().ok()?;
        if !file.starts_with(&self.0) || !file.is_file() {
            return None;
        }
        std::fs::read(file).ok().map(Bytes::from)
    }
}

pub(crate) fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_below_the_folder_are_given() {
        let root = tempfile::tempdir().unwrap();
        let ui = root.path().join("ui");
        std::fs::create_dir_all(ui.join("assets")).unwrap();
        std::fs::write(root.path().join("secret"), "no").unwrap();
        assert!(UiDirectory::open(&ui).is_none());
        std::fs::write(ui.join("index.html"), "<!doctype html>").unwrap();
        std::fs::write(ui.join("assets/a.js"), "1").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(root.path().join("secret"), ui.join("link")).unwrap();
        let ui = UiDirectory::open(&ui).unwrap();
        assert_eq!(ui.get("assets/a.js").as_deref(), Some(&b"1"[..]));
        for path in ["../secret", "/etc/passwd", "assets/../../secret", "assets", "link", "", "."] {
            assert!(ui.get(path).is_none(), "{path}");
        }
    }
}
