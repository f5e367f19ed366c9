//! The simulated market's switch: on, off, how fast, and whether it is sound.

use cw_api::commands::data::{EnableMock, MockCheck, MockReport, MockState, TestMock};
use cw_api::{ApiError, ErrorCode};
use cw_market::Provider;
use cw_venues::sim::Speed;

use super::Market;

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

    pub(super) fn mock_on(&self, request: EnableMock) -> Result<MockState, ApiError> {
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
        Ok(self.mock_state())
    }

    pub(super) fn mock_off(&self) -> Result<MockState, ApiError> {
        self.mock_runs()?;
        self.shared.sim.clock().set_paused(true);
        Ok(self.mock_state())
    }

    pub(super) fn mock_speed(&self, speed: f64) -> Result<MockState, ApiError> {
        self.mock_runs()?;
        self.shared.sim.set_speed(speed_of(speed)?);
        Ok(self.mock_state())
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
    use super::*;

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
