use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Pane, Param, Spec, VALUE};
use crate::window::Moments;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stddev {
    moments: Moments,
    length: u32,
}

impl Indicator for Stddev {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec {
        name: "stddev",
        title: "Standard deviation",
        group: Group::Statistics,
        pane: Pane::Own,
        params: &[Param::period("length", 20, 2)],
        outputs: VALUE,
        doc: "The standard deviation of the newest `length` values as a population (divided by the length).",
        source: "TA-Lib STDDEV",
    };

    fn new(params: &[f64]) -> Self {
        Self { moments: Moments::new(params[0] as usize), length: params[0] as u32 }
    }
    fn warm_up(&self) -> usize {
        self.length as usize - 1
    }
    #[inline]
    fn update(&mut self, value: f64) -> [f64; 1] {
        [self.moments.push(value).map_or(f64::NAN, |(_, variance)| variance.sqrt())]
    }
}
