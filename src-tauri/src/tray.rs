//! The tray icon: the window back, the kill switch, the end. Halting must work when the page does not.

use std::sync::Arc;

use tauri::menu::{MenuBuilder, MenuEvent, MenuItemBuilder};
use tauri::tray::TrayIconBuilder;
use tauri::{App, AppHandle, Manager as _};

use crate::host::Host;

const SHOW: &str = "show";
const HALT: &str = "halt";
const QUIT: &str = "quit";

/// Puts the icon into the tray. A desktop without one, or without the library that draws it, is no reason not to
/// start: the page has the same actions.
pub fn build(app: &App) {
    // The appindicator binding loads its library at run time and panics when it is missing.
    let built = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| try_build(app)));
    match built {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "no tray icon"),
        Err(_) => tracing::warn!("no tray icon: the appindicator library is not installed"),
    }
}

fn try_build(app: &App) -> tauri::Result<()> {
    let menu = MenuBuilder::new(app)
        .item(&MenuItemBuilder::with_id(SHOW, "Open Candlewick").build(app)?)
        .separator()
        .item(&MenuItemBuilder::with_id(HALT, "Halt trading").build(app)?)
        .separator()
        .item(&MenuItemBuilder::with_id(QUIT, "Quit").build(app)?)
        .build()?;
    let icon = tauri::include_image!("../icons/32x32.png");
    TrayIconBuilder::with_id("main").icon(icon).tooltip("Candlewick").menu(&menu).on_menu_event(on_menu).build(app)?;
    Ok(())
}

fn on_menu(app: &AppHandle, event: MenuEvent) {
    match event.id().as_ref() {
        SHOW => crate::window::show(app),
        HALT => halt(app.clone()),
        QUIT => app.exit(0),
        other => tracing::error!(id = other, "a tray entry without an action"),
    }
}

fn halt(app: AppHandle) {
    let host = Arc::clone(&app.state::<Arc<Host>>());
    tauri::async_runtime::spawn(async move {
        let body = serde_json::json!({ "reason": "halted from the tray" });
        if let Err(error) = host.call("risk.halt", body).await {
            // The person believes trading has stopped; they must see that it has not.
            tracing::error!(%error, "halting from the tray failed");
            crate::window::show(&app);
        }
    });
}
