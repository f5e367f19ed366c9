use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Output, Pane, Param, Spec};
use crate::window::Moments;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bb {
    moments: Moments,
    length: u32,
    deviations: f64,
}

impl Indicator for Bb {
    type Input = f64;
    type Output = [f64; 3];
    const SPEC: Spec = Spec {
        name: "bb",
        title: "Bollinger bands",
        group: Group::Overlap,
        pane: Pane::Overlay,
        params: &[Param::period("length", 20, 2), Param::number("deviations", 2.0, 0.001, 50.0)],
        outputs: &[
            Output { name: "upper", title: "Upper band" },
            Output { name: "middle", title: "Middle" },
            Output { name: "lower", title: "Lower band" },
        ],
        doc: "The mean of the newest `length` values, and as many standard deviations above and below it. The \
              deviation is that of the population (divided by the length).",
        source: "TA-Lib BBANDS (Bollinger)",
    };

    fn new(params: &[f64]) -> Self {
        Self { moments: Moments::new(params[0] as usize), length: params[0] as u32, deviations: params[1] }
    }
    fn warm_up(&self) -> usize {
        self.length as usize - 1
    }
    #[inline]
    fn update(&mut self, value: f64) -> [f64; 3] {
        let Some((mean, variance)) = self.moments.push(value) else { return [f64::NAN; 3] };
        let distance = variance.sqrt() * self.deviations;
        [mean + distance, mean, mean - distance]
    }
}
