use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Pane, Param, Spec, VALUE};
use crate::ohlcv::Ohlcv;
use crate::window::MovingSum;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mfi {
    into: MovingSum,
    out_of: MovingSum,
    previous: Option<f64>,
    length: u32,
}

impl Indicator for Mfi {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec {
        name: "mfi",
        title: "Money flow index",
        group: Group::Volume,
        pane: Pane::Own,
        params: &[Param::period("length", 14, 2)],
        outputs: VALUE,
        doc: "Typical price × volume of the candles whose typical price rose, in percent of that of all that moved, over \
              `length` candles; 0 where there was none.",
        source: "TA-Lib MFI",
    };

    fn new(params: &[f64]) -> Self {
        let length = params[0] as usize;
        Self { into: MovingSum::new(length), out_of: MovingSum::new(length), previous: None, length: length as u32 }
    }
    fn warm_up(&self) -> usize {
        self.length as usize
    }
    #[inline]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let typical = candle.typical();
        let Some(previous) = self.previous.replace(typical) else { return [f64::NAN] };
        let change = typical - previous;
        let least = 1e-14 * (typical.abs() + previous.abs());
        // Directions are a coin toss to the branch predictor: compute instead of deciding.
        let flow = typical * candle.volume;
        let rise = f64::from(u8::from(change > least)) * flow;
        let fall = f64::from(u8::from(change < -least)) * flow;
        match (self.into.push(rise), self.out_of.push(fall)) {
            (Some(into), Some(out_of)) => {
                // A sum that was moved along may end a rounding error away from zero.
                let (into, out_of) = (into.max(0.0), out_of.max(0.0));
                let total = into + out_of;
                [if total > 0.0 { 100.0 * (into / total) } else { 0.0 }]
            }
            _ => [f64::NAN],
        }
    }
}
