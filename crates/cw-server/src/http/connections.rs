//! The accept loop: how many connections, how long a head may take, and an orderly end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

const MAX_CONNECTIONS: usize = 64;
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_HEAD: usize = 16 * 1024;
/// How long requests under way may take after the server was told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// An open connection's place among the `MAX_CONNECTIONS`. Requests carry it, so that a stream keeps its place after the
/// connection became a WebSocket.
#[derive(Clone)]
pub(super) struct Guest(Arc<Place>);

struct Place {
    number: u64,
    /// It has shown a valid token.
    proven: AtomicBool,
    close: CancellationToken,
    places: Arc<Places>,
}

#[derive(Default)]
struct Places(Mutex<Vec<(u64, std::sync::Weak<Place>)>>);

impl Guest {
    pub fn prove(&self) {
        self.0.proven.store(true, Ordering::Relaxed);
    }
    /// Fires when the place is taken away.
    pub fn closed(&self) -> CancellationToken {
        self.0.close.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|(number, _)| *number != self.number);
    }
}

impl Places {
    /// A place for a new connection. When all are taken, the oldest connection that never showed a valid token loses its
    /// own: a flood of silent connections cannot keep a real client out. `None` when all have shown one.
    fn enter(self: &Arc<Self>, number: u64) -> Option<Guest> {
        // Upgraded and dropped outside the lock: dropping a place takes it.
        let mut held = Vec::new();
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= MAX_CONNECTIONS {
            held = places.iter().filter_map(|(_, place)| place.upgrade()).collect();
            if let Some(silent) = held.iter().find(|place| !place.proven.load(Ordering::Relaxed)) {
                silent.close.cancel();
                let number = silent.number;
                places.retain(|(other, _)| *other != number);
            } else {
                drop(places);
                drop(held);
                return None;
            }
        }
        let place = Arc::new(Place {
            number,
            proven: AtomicBool::new(false),
            close: CancellationToken::new(),
            places: Arc::clone(self),
        });
        places.push((number, Arc::downgrade(&place)));
        drop(places);
        drop(held);
        Some(Guest(place))
    }
}

pub(super) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    let places = Arc::new(Places::default());
    let mut number = 0u64;
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors or the like: accepting again at once would spin.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        number += 1;
        match places.enter(number) {
            Some(guest) => {
                tasks.spawn(connection(stream, guest, router.clone(), stop.clone()));
            }
            None => drop(stream),
        }
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
}

async fn connection(stream: TcpStream, guest: Guest, router: Router, stop: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let closed = guest.closed();
    let service = router.map_request(move |mut request: Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(guest.clone());
        request
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let outcome = tokio::select! {
        biased;
        () = closed.cancelled() => return,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        outcome = connection.as_mut() => outcome,
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "connection ended");
    }
}
