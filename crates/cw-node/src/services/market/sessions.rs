//! Where candles of an instrument begin and end, and which ones they are made of.

use cw_api::ApiError;
use cw_core::{Calendar, Candle, InstrumentId, Timeframe, TimeframeUnit, Timestamp};
use cw_venues::catalog;

use super::Market;
use crate::shared::storage;

/// What candles that are counted from the sessions' beginning may be folded from, the longest first.
const BASES: [(u16, TimeframeUnit); 5] = [
    (1, TimeframeUnit::Hour),
    (30, TimeframeUnit::Minute),
    (15, TimeframeUnit::Minute),
    (5, TimeframeUnit::Minute),
    (1, TimeframeUnit::Minute),
];

/// The candles that those of `timeframe` are made of: themselves, unless they are counted from the sessions' beginning. A
/// venue's own are not: its hours and days are those of UTC. `own_days`: its daily candles are the exchange's sessions.
pub(super) fn base(calendar: Calendar, timeframe: Timeframe, own_days: bool) -> Timeframe {
    if !calendar.anchors(timeframe) {
        return timeframe;
    }
    let fits = |base: &Timeframe| timeframe.is_multiple_of(*base);
    if own_days && calendar == Calendar::Nyse && (timeframe == Timeframe::D1 || fits(&Timeframe::D1)) {
        return Timeframe::D1;
    }
    let bases = BASES.iter().filter_map(|(count, unit)| Timeframe::new(*count, *unit).ok());
    bases.filter(|base| !calendar.anchors(*base)).find(fits).unwrap_or(timeframe)
}

/// The first open time at or after `time`.
pub(super) fn ceil(calendar: Calendar, timeframe: Timeframe, time: Timestamp) -> Timestamp {
    let window = calendar.window(timeframe, time);
    if window.open_time == time && !window.shut { time } else { window.close_time }
}

/// A session's candle begins with the session; venues date it by its day.
pub(super) fn date_by_session(calendar: Calendar, candles: &mut Vec<Candle>) {
    candles.retain_mut(|candle| match calendar.session(candle.open_time.to_civil().date()) {
        Some(session) => {
            candle.open_time = session.open;
            true
        }
        None => false,
    });
}

/// Whether a venue's daily candles are the exchange's sessions, and not what was traded on a day of UTC.
fn has_own_days(id: &InstrumentId) -> bool {
    catalog::VENUES.iter().any(|entry| entry.code == id.venue() && entry.capabilities.session_days)
}

impl Market {
    /// When an instrument trades.
    pub(in crate::services) async fn calendar_of(&self, id: &InstrumentId) -> Result<Calendar, ApiError> {
        let listed = self.shared.directory.number(id).and_then(|number| self.shared.directory.instrument(number));
        if let Some(instrument) = listed {
            return Ok(instrument.calendar());
        }
        if let Some(provider) = self.venue_of(id).filter(|_| !self.shared.read_only) {
            self.introduce_remote(provider, id).await?;
        }
        let stored = self.shared.store.instrument(id).await.map_err(storage)?;
        Ok(stored.map_or(Calendar::Continuous, |instrument| instrument.calendar()))
    }

    /// What candles of a venue are asked of it, to have those of `timeframe`.
    pub(super) fn base_at_venue(id: &InstrumentId, calendar: Calendar, timeframe: Timeframe) -> Timeframe {
        base(calendar, timeframe, has_own_days(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tf(text: &str) -> Timeframe {
        text.parse().unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn session_candles_are_made_of_what_fits_into_sessions() {
        let of = |calendar, timeframe: &str| base(calendar, tf(timeframe), false).to_string();
        let nyse = ["1m", "30m", "45m", "1h", "4h", "1d", "1w"].map(|timeframe| of(Calendar::Nyse, timeframe));
        assert_eq!(nyse, ["1m", "30m", "15m", "30m", "30m", "30m", "30m"]);
        let fx = ["30m", "1h", "4h", "1d", "1w"].map(|timeframe| of(Calendar::Fx, timeframe));
        assert_eq!(fx, ["30m", "1h", "1h", "1h", "1h"]);
        assert_eq!(of(Calendar::Continuous, "1d"), "1d");
        let own = ["1h", "1d", "1w"].map(|timeframe| base(Calendar::Nyse, tf(timeframe), true).to_string());
        assert_eq!(own, ["30m", "1d", "1d"]);
    }

    #[test]
    fn boundaries_are_the_sessions() {
        let up = |timeframe: &str, time: &str| ceil(Calendar::Nyse, tf(timeframe), at(time));
        assert_eq!(up("1h", "2024-07-01T13:30:00Z"), at("2024-07-01T13:30:00Z"));
        assert_eq!(up("1h", "2024-07-01T13:31:00Z"), at("2024-07-01T14:30:00Z"));
        assert_eq!(up("1d", "2024-07-01T00:00:00Z"), at("2024-07-01T13:30:00Z"));
        assert_eq!(up("1d", "2024-07-05T20:00:00Z"), at("2024-07-08T13:30:00Z"), "over the week-end");
        assert_eq!(up("15m", "2024-07-06T00:07:00Z"), at("2024-07-06T00:15:00Z"));
    }
}
