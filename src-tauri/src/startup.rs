//! Start-up as `--timing` and `--exit-after` see it.

use std::sync::{Mutex, PoisonError};

use tauri::AppHandle;

use crate::args::StartupEvent;
use crate::timing::Timing;

/// Records start-up events and ends the program after the one it was started for.
pub struct Startup {
    timing: Timing,
    exit_after: Option<StartupEvent>,
    /// The engine may be ready before there is an application to end.
    app: Mutex<App>,
}

enum App {
    NotYet { exit: bool },
    Running(AppHandle),
}

impl Startup {
    pub fn new(timing: Timing, exit_after: Option<StartupEvent>) -> Self {
        Self { timing, exit_after, app: Mutex::new(App::NotYet { exit: false }) }
    }

    /// Records `event`; only its first time counts.
    pub fn mark(&self, event: StartupEvent) {
        if !self.timing.mark(event.name()) || self.exit_after != Some(event) {
            return;
        }
        match &mut *self.app.lock().unwrap_or_else(PoisonError::into_inner) {
            App::NotYet { exit } => *exit = true,
            App::Running(app) => app.exit(0),
        }
    }

    /// From here on the program can be ended.
    pub fn attach(&self, app: &AppHandle) {
        let mut state = self.app.lock().unwrap_or_else(PoisonError::into_inner);
        if let App::NotYet { exit: true } = *state {
            app.exit(0);
        }
        *state = App::Running(app.clone());
    }
}
