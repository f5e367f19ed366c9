//! The connections to venues: how each stands, in fields and in a sentence.

use cw_api::ApiError;
use cw_api::commands::system::{
    Breaker, Component, Connection, ConnectionCapabilities, ConnectionState, HealthStatus, Pacing,
};
use cw_core::Timestamp;
use cw_market::{BreakerState, Capabilities, ConnectionStatus, Provider, ProviderState, ProviderStatus};

use cw_venues::catalog;

use super::System;
use crate::venues::Venue;

/// A venue that is listened to and was silent for longer is behind.
const SILENCE: i64 = 60 * Timestamp::NANOS_PER_SECOND;

const fn pacing(pacing: cw_market::Pacing) -> Pacing {
    match pacing {
        cw_market::Pacing::RealTime => Pacing::RealTime,
        cw_market::Pacing::Delayed => Pacing::Delayed,
        cw_market::Pacing::Simulated => Pacing::Simulated,
    }
}

fn capabilities(of: &Capabilities) -> ConnectionCapabilities {
    ConnectionCapabilities {
        trades: of.trades,
        quotes: of.quotes,
        streams_candles: of.streams_candles,
        dense: of.dense,
        needs_credentials: of.needs_credentials,
        finest_candle: of.finest_candle.map(str::to_owned),
        max_candles: u32::try_from(of.max_candles).unwrap_or(u32::MAX),
    }
}

/// Why a connection that is up is not as it should be; empty = it is.
fn impairment(status: &ProviderStatus, link: &ConnectionStatus, now: Timestamp) -> Option<String> {
    if status.state == ProviderState::Degraded {
        return Some(status.detail.clone());
    }
    let held = link.held_until.filter(|until| *until > now);
    if link.breaker != BreakerState::Closed {
        let error = link.last_error.as_deref().unwrap_or("calls fail");
        let until = held.map_or_else(|| "for a while".to_owned(), |until| format!("until {until}"));
        return Some(format!("left alone {until}: {error}"));
    }
    if let Some(until) = held {
        let error = link.last_error.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
        return Some(format!("no request for data until {until}{error}"));
    }
    let silent = link.last_message.is_none_or(|at| now.nanos_since(at) > SILENCE);
    let since = link.since.is_none_or(|since| now.nanos_since(since) > SILENCE);
    (status.state == ProviderState::Live && link.subscriptions > 0 && silent && since)
        .then(|| "nothing came for a minute".to_owned())
}

impl System {
    /// Begins a venue's connections anew.
    pub(super) fn restart(&self, venue: &str) -> Result<Connection, ApiError> {
        let refused = |words: String| Err(ApiError::invalid("venue", words));
        let named = catalog::find(venue.trim()).or_else(|| catalog::find(&venue.trim().to_uppercase()));
        let Some(entry) = named else {
            let all: Vec<&str> = catalog::VENUES.iter().map(|entry| entry.code).collect();
            return refused(format!("there is no connection of that name; there may be {}", all.join(", ")));
        };
        let Some(venue) = self.shared.venues.find(entry.code) else {
            return refused(format!("{} is switched off: venues.{}.enabled", entry.code, entry.name));
        };
        if !venue.restart("it was restarted by hand") {
            return Err(ApiError::unavailable("this program holds no connections; a running engine does"));
        }
        Ok(self.connection(venue))
    }

    pub(super) fn connections(&self) -> Vec<Connection> {
        let mut connections = vec![self.simulated()];
        connections.extend(self.shared.venues.all().iter().map(|venue| self.connection(venue)));
        connections
    }

    fn simulated(&self) -> Connection {
        let status = self.shared.sim.status();
        let now = self.shared.sim.clock().now();
        let of = self.shared.sim.capabilities();
        Connection {
            name: "SIM".to_owned(),
            venue: "SIM".to_owned(),
            kind: "simulated".to_owned(),
            state: match (self.shared.live, status.state) {
                (false, _) | (true, ProviderState::Down) => ConnectionState::Closed,
                (true, ProviderState::Connecting | ProviderState::Idle) => ConnectionState::Connecting,
                (true, ProviderState::Live | ProviderState::Degraded) => ConnectionState::Open,
            },
            since: self.shared.started_at,
            reconnects: 0,
            last_message_age_s: status.last_event.map(|at| now.nanos_since(at).max(0) as f64 / 1e9),
            subscriptions: if self.shared.live { self.shared.sim.market().instruments().len() as u32 } else { 0 },
            detail: Some(status.detail),
            events: Some(status.events),
            breaker: None,
            budget_left: None,
            budget_limit: None,
            held_until: None,
            clock_offset_ms: None,
            quarantined: None,
            last_quarantine: None,
            last_error: None,
            last_error_at: None,
            notice: None,
            pacing: Some(pacing(of.pacing)),
            capabilities: Some(capabilities(of)),
        }
    }

    /// A venue behind a network.
    fn connection(&self, venue: &Venue) -> Connection {
        let provider = &venue.provider;
        let (status, of) = (provider.status(), provider.capabilities());
        let now = self.shared.clock.now();
        let link = status.connection.clone().unwrap_or_default();
        let impaired = impairment(&status, &link, now);
        // A plan of a few requests a minute may make that take some minutes.
        let preparing = status.state == ProviderState::Idle && self.shared.live && !venue.followed().is_empty();
        let state = match status.state {
            ProviderState::Idle if preparing && link.last_error.is_some() => ConnectionState::Retrying,
            ProviderState::Idle if preparing => ConnectionState::Connecting,
            ProviderState::Idle | ProviderState::Down => ConnectionState::Closed,
            ProviderState::Connecting if link.reconnects > 0 => ConnectionState::Retrying,
            ProviderState::Connecting => ConnectionState::Connecting,
            ProviderState::Live | ProviderState::Degraded if impaired.is_some() => ConnectionState::Degraded,
            ProviderState::Live | ProviderState::Degraded => ConnectionState::Open,
        };
        let detail = match &link.last_error {
            Some(error) if preparing => format!("it is asked about its symbols; the last answer: {error}"),
            None if preparing => "it is asked about its symbols".to_owned(),
            _ => status.detail,
        };
        Connection {
            name: provider.venue().to_owned(),
            venue: provider.venue().to_owned(),
            kind: if of.streams_candles || of.quotes { "websocket" } else { "http" }.to_owned(),
            state,
            since: link.since.unwrap_or(self.shared.started_at),
            reconnects: link.reconnects,
            last_message_age_s: link.last_message.map(|at| now.nanos_since(at).max(0) as f64 / 1e9),
            subscriptions: link.subscriptions,
            detail: Some(impaired.unwrap_or(detail)),
            events: Some(status.events),
            breaker: Some(match link.breaker {
                BreakerState::Closed => Breaker::Closed,
                BreakerState::HalfOpen => Breaker::HalfOpen,
                BreakerState::Open => Breaker::Open,
            }),
            budget_left: Some(link.budget_left),
            budget_limit: Some(link.budget_limit),
            held_until: link.held_until,
            clock_offset_ms: link.clock_offset_ms,
            quarantined: Some(link.quarantined),
            last_quarantine: link.last_quarantine,
            last_error: link.last_error,
            last_error_at: link.last_error_at,
            notice: (!of.notice.is_empty()).then(|| of.notice.to_owned()),
            pacing: Some(pacing(of.pacing)),
            capabilities: Some(capabilities(of)),
        }
    }

    /// A part of the program's health for each venue. One that fails takes the others not down with it.
    pub(super) fn venue_components(&self) -> Vec<Component> {
        let component = |venue: &Venue| {
            let connection = self.connection(venue);
            let ok = match connection.state {
                ConnectionState::Open | ConnectionState::Connecting => true,
                ConnectionState::Degraded | ConnectionState::Retrying => false,
                // Not listened to is well; refused is not.
                ConnectionState::Closed => venue.provider.status().state == ProviderState::Idle,
            };
            Component {
                name: connection.name.to_lowercase(),
                status: if ok { HealthStatus::Ok } else { HealthStatus::Degraded },
                detail: connection.detail.unwrap_or_default(),
                since: connection.since,
                parent: Some("market_data".to_owned()),
            }
        };
        self.shared.venues.all().iter().map(component).collect()
    }
}
