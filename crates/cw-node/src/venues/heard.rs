//! What was heard of one followed instrument.

use cw_core::{Candle, FormingCandle, Price, Timeframe, Timestamp, Volume};

#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Our clock when the newest came in.
    pub at: Option<Timestamp>,
    /// Everything before this time is closed.
    pub settled: Option<Timestamp>,
    minute: Option<FormingCandle>,
}

impl Heard {
    /// A price, at a time of the venue's clock. One of an earlier minute is in its candle, which the venue makes.
    pub fn print(&mut self, time: Timestamp, price: Price, volume: Volume) {
        let open_time = Timeframe::M1.open_time(time);
        match &mut self.minute {
            Some(FormingCandle { so_far, as_of }) if so_far.open_time == open_time => {
                so_far.high = so_far.high.max(price);
                so_far.low = so_far.low.min(price);
                if time >= *as_of {
                    so_far.close = price;
                }
                so_far.volume = so_far.volume.saturating_add(volume);
                *as_of = (*as_of).max(time);
            }
            Some(known) if known.so_far.open_time > open_time => {}
            _ => {
                let so_far = Candle { open_time, open: price, high: price, low: price, close: price, volume };
                self.minute = Some(FormingCandle { so_far, as_of: time });
            }
        }
    }

    /// The minute that is not over; not before the one before it is told.
    pub fn forming(&self) -> Option<FormingCandle> {
        self.minute.filter(|minute| Some(minute.so_far.open_time) == self.settled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forming_minute_is_of_what_was_heard_and_waits_for_the_one_before() {
        let mut heard = Heard::default();
        let print = |heard: &mut Heard, second: i64, price: i64| {
            heard.print(Timestamp::from_secs(second), Price::from_raw(price), Volume::from_raw(1));
        };
        print(&mut heard, 61, 10);
        assert_eq!(heard.forming(), None, "the minute before is not told yet");
        heard.settled = Some(Timestamp::from_secs(60));
        print(&mut heard, 65, 14);
        print(&mut heard, 63, 8);
        print(&mut heard, 59, 100);
        let Candle { open, high, low, close, volume, .. } = heard.forming().unwrap().so_far;
        assert_eq!([open, high, low, close].map(Price::raw), [10, 14, 8, 14]);
        assert_eq!(volume.raw(), 3);
        print(&mut heard, 121, 15);
        assert_eq!(heard.forming(), None);
        heard.settled = Some(Timestamp::from_secs(120));
        assert_eq!(heard.forming().unwrap().so_far.open.raw(), 15);
        heard.settled = Some(Timestamp::from_secs(180));
        assert_eq!(heard.forming(), None, "it is closed");
    }
}
