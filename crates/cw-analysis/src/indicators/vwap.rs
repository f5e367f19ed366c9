use cw_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Pane, Param, Spec, VALUE};
use crate::ohlcv::Ohlcv;

const HOUR: i64 = 3_600 * Timestamp::NANOS_PER_SECOND;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vwap {
    /// Nanoseconds; 0 never begins anew.
    session: i64,
    /// First moment after the running session.
    ends: Timestamp,
    value: f64,
    volume: f64,
    started: bool,
}

impl Indicator for Vwap {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec {
        name: "vwap",
        title: "Volume-weighted average price",
        group: Group::Overlap,
        pane: Pane::Overlay,
        params: &[Param { name: "session_hours", default: 24.0, min: 0.0, max: 720.0, integer: true }],
        outputs: VALUE,
        doc: "Σ(typical price × volume) / Σ volume since the session began; the typical price is (high + low + close) \
              / 3. Sessions are `session_hours` long and counted from 1970-01-01 UTC, so 24 is the UTC day; 0 never \
              begins anew. Before the first volume of a session it is the typical price.",
        source: "Berkowitz, Logue, Noser 1988; anchored as on TradingView",
    };

    fn new(params: &[f64]) -> Self {
        let session = params[0] as i64 * HOUR;
        Self { session, ends: Timestamp::MIN, value: 0.0, volume: 0.0, started: false }
    }
    fn warm_up(&self) -> usize {
        0
    }
    #[inline]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        if !self.started || (self.session > 0 && candle.open_time >= self.ends) {
            self.begin(candle.open_time);
        }
        let typical = candle.typical();
        self.value += typical * candle.volume;
        self.volume += candle.volume;
        [if self.volume > 0.0 { self.value / self.volume } else { typical }]
    }
}

impl Vwap {
    #[cold]
    fn begin(&mut self, open_time: Timestamp) {
        self.started = true;
        self.value = 0.0;
        self.volume = 0.0;
        if self.session > 0 {
            let index = open_time.as_nanos().div_euclid(self.session);
            self.ends = Timestamp::from_nanos((index + 1).saturating_mul(self.session));
        }
    }
}
