//! Starts tasks under a name and can stop them all.

use std::future::Future;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The one place that starts tasks.
#[derive(Debug, Clone, Default)]
pub struct Supervisor {
    tasks: TaskTracker,
    token: CancellationToken,
}

impl Supervisor {
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs `task` until it ends by itself. A panic in it is logged and ends only it.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.track_future(task);
        let handle = tokio::runtime::Handle::current().spawn(task);
        self.tasks.spawn(async move {
            if let Err(error) = handle.await
                && error.is_panic()
            {
                tracing::error!(target: "supervisor", task = name, %error, "a task failed");
            }
        });
    }

    /// Runs `task` until it ends or the supervisor stops.
    pub fn spawn_until_stopped(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let token = self.token.clone();
        self.spawn(name, async move {
            tokio::select! {
                biased;
                () = token.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Asks for the end; tasks that wait on it leave.
    pub fn stop(&self) {
        self.token.cancel();
        self.tasks.close();
    }

    pub const fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Waits until every task has ended.
    pub async fn wait(&self) {
        self.tasks.wait().await;
    }
}
