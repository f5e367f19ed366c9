//! The simulated market's switch: on, off, how fast, and whether it is sound.

use cw_api::commands::data::{EnableMock, MockCheck, MockReport, MockState, TestMock};
use cw_api::{ApiError, ErrorCode};
use cw_market::Provider;
use cw_venues::sim::Speed;
use serde::{Deserialize, Serialize};

use super::Market;
use crate::shared::storage;

/// Where the store notes how the market was left: `{"configured": 1, "speed": 10, "paused": false}`. A speed that was
/// chosen here counts until the configuration says something else than it did then.
pub(crate) const SWITCH_KEY: &str = "mock.switch";

/// How the market was left.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Switch {
    /// `mock.speed` of the configuration at the time.
    configured: f64,
    speed: f64,
    paused: bool,
}

impl Switch {
    /// The speed to start with under a configuration, and whether the market stands still.
    #[expect(clippy::float_cmp, reason = "the same number as was written down, not a computed one")]
    pub fn start(kept: Option<&serde_json::Value>, configured: f64) -> (f64, bool) {
        let kept = kept.and_then(|value| Self::deserialize(value).ok());
        match kept {
            Some(kept) if kept.configured == configured => (kept.speed, kept.paused),
            Some(kept) => (configured, kept.paused),
            None => (configured, false),
        }
    }
}

/// As the market writes it: `10`, `0.5`.
fn number(speed: Speed) -> f64 {
    speed.to_string().trim_end_matches('x').parse().unwrap_or(1.0)
}

fn speed_of(speed: f64) -> Result<Speed, ApiError> {
    let refused = |error: cw_venues::sim::SpeedError| ApiError::invalid("speed", error.to_string());
    speed.to_string().parse().map_err(refused)
}

impl Market {
    fn mock_state(&self) -> MockState {
        let sim = &self.shared.sim;
        MockState {
            enabled: self.shared.live && !sim.clock().is_paused(),
            seed: sim.market().seed(),
            speed: number(sim.clock().speed()),
            instruments: sim.instruments().len() as u32,
        }
    }

    /// What streams is decided when the program starts; what runs can be stopped and go on.
    fn mock_runs(&self) -> Result<(), ApiError> {
        if self.shared.live {
            return Ok(());
        }
        let message = "the simulated market does not run here; start the engine with mock.enabled in its configuration";
        Err(ApiError::unavailable(message).with_retryable(false))
    }

    /// The next start finds the market as it is now.
    async fn mock_kept(&self) -> Result<MockState, ApiError> {
        let sim = &self.shared.sim;
        let switch = Switch {
            configured: *self.shared.mock_speed.lock(),
            speed: number(sim.clock().speed()),
            paused: sim.clock().is_paused(),
        };
        let value = serde_json::to_value(switch).map_err(ApiError::internal)?;
        self.shared.store.set_setting(SWITCH_KEY, &value).await.map_err(storage)?;
        Ok(self.mock_state())
    }

    pub(super) async fn mock_on(&self, request: EnableMock) -> Result<MockState, ApiError> {
        self.mock_runs()?;
        let sim = &self.shared.sim;
        let seed = sim.market().seed();
        if let Some(wanted) = request.seed.filter(|wanted| *wanted != seed) {
            // Positions and open orders were made at this market's prices.
            let message = format!(
                "the market runs with seed {seed}, and another seed is another market; \
                 set mock.seed = {wanted} in the configuration of a new data directory"
            );
            return Err(ApiError::new(ErrorCode::Conflict, message).with_field("seed"));
        }
        if let Some(speed) = request.speed {
            sim.set_speed(speed_of(speed)?);
        }
        sim.clock().set_paused(false);
        self.mock_kept().await
    }

    pub(super) async fn mock_off(&self) -> Result<MockState, ApiError> {
        self.mock_runs()?;
        self.shared.sim.clock().set_paused(true);
        self.mock_kept().await
    }

    pub(super) async fn mock_speed(&self, speed: f64) -> Result<MockState, ApiError> {
        self.mock_runs()?;
        self.shared.sim.set_speed(speed_of(speed)?);
        self.mock_kept().await
    }

    pub(super) async fn mock_test(&self, request: TestMock) -> Result<MockReport, ApiError> {
        let seed = request.seed.unwrap_or_else(|| self.shared.sim.market().seed());
        let report =
            tokio::task::spawn_blocking(move || cw_venues::sim::test(seed)).await.map_err(ApiError::internal)?;
        let check = |c: cw_venues::sim::Check| MockCheck {
            check: c.name.to_owned(),
            pass: c.passed,
            reason: format!("{}; accepted: {}", c.value, c.expected),
        };
        let mut checks: Vec<MockCheck> = report.checks.into_iter().map(check).collect();
        checks.push(MockCheck {
            check: "fingerprint".to_owned(),
            pass: true,
            reason: format!("{} for seed {seed}, the same on every machine", report.hash),
        });
        Ok(MockReport { ok: report.passed, seed, checks })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_market_starts_as_it_was_left_unless_the_configuration_changed() {
        let kept = json!({"configured": 1.0, "speed": 10.0, "paused": true});
        assert_eq!(Switch::start(Some(&kept), 1.0), (10.0, true));
        assert_eq!(Switch::start(Some(&kept), 2.0), (2.0, true));
        assert_eq!(Switch::start(None, 2.0), (2.0, false));
        assert_eq!(Switch::start(Some(&json!("nonsense")), 2.0), (2.0, false));
    }

    #[test]
    fn speeds_are_numbers_outside() {
        for speed in [0.1, 0.5, 1.0, 2.5, 10.0, 1_000.0] {
            assert_eq!(number(speed_of(speed).unwrap()), speed);
        }
        for speed in [0.0, -1.0, 0.05, 1_001.0, f64::NAN, f64::INFINITY] {
            assert_eq!(speed_of(speed).unwrap_err().field.as_deref(), Some("speed"));
        }
    }
}
