//! The main window: where it may go, and that it shows before the engine is ready.

use std::path::Path;

use tauri::webview::{Color, NewWindowResponse};
use tauri::{App, AppHandle, Manager as _, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

/// As in capabilities/main.json.
const LABEL: &str = "main";

/// The dark theme's background, so that the first frame is not a white flash.
const BACKGROUND: Color = Color(11, 15, 20, 255);

/// Opens the main window. The web engine's own files (its cache and storage) go below `data_dir`.
pub fn open(app: &App, data_dir: &Path) -> tauri::Result<WebviewWindow> {
    WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
        .title("Candlewick")
        .inner_size(1600.0, 900.0)
        .min_inner_size(1024.0, 640.0)
        .background_color(BACKGROUND)
        .data_directory(data_dir.join("webview"))
        .on_navigation(stays_inside)
        .on_new_window(|url, _| {
            open_outside(&url);
            NewWindowResponse::Deny
        })
        .build()
}

/// Brings the window to the front.
pub fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    let shown = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    if let Err(error) = shown {
        tracing::warn!(%error, "the window could not be brought to the front");
    }
}

/// Whether the window itself may go to `url`: only to the page it was built with.
fn stays_inside(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => true,
        "http" | "https" if url.host_str() == Some("tauri.localhost") => true,
        // The Vite server of `devUrl`, in a build without the embedded page.
        "http" => cfg!(not(feature = "custom-protocol")) && url.host_str() == Some("127.0.0.1"),
        _ => false,
    }
}

/// Hands a link of the page to the user's browser; anything but plain https stays closed.
fn open_outside(url: &Url) {
    if url.scheme() != "https" {
        tracing::warn!(%url, "a link that is not https was not opened");
        return;
    }
    if let Err(error) = open::that_detached(url.as_str()) {
        tracing::warn!(%url, %error, "no browser could be started for the link");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_goes_nowhere_but_to_its_own_page() {
        let check = |url: &str, expected: bool| assert_eq!(stays_inside(&url.parse().unwrap()), expected, "{url}");
        check("tauri://localhost/", true);
        check("http://tauri.localhost/index.html", true);
        check("https://tauri.localhost/", true);
        check("https://www.tradingview.com/", false);
        check("https://tauri.localhost.example.com/", false);
        check("file:///etc/passwd", false);
        check("javascript:alert(1)", false);
        check("data:text/html,x", false);
        check("http://127.0.0.1:5173/", cfg!(not(feature = "custom-protocol")));
    }
}
