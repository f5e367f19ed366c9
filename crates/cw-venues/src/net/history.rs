//! From what is asked for to what a venue can be asked: its own candle lengths, pages, and closed candles only.

use cw_core::{Candle, Timeframe, TimeframeUnit, Timestamp};
use cw_market::{CandleRequest, ProviderError, Purpose, fold};
use futures_util::future::BoxFuture;

use super::budget::Lane;

/// A candle length that a venue serves on our grid, and its word for it.
#[derive(Debug, Clone, Copy)]
pub struct Native {
    pub count: u16,
    pub unit: TimeframeUnit,
    pub word: &'static str,
}

impl Native {
    pub const fn of(count: u16, unit: TimeframeUnit, word: &'static str) -> Self {
        Self { count, unit, word }
    }
    fn timeframe(self) -> Timeframe {
        Timeframe::new(self.count, self.unit).unwrap_or(Timeframe::M1)
    }
}

/// What to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// What the caller wants.
    pub wanted: Timeframe,
    /// What the venue is asked for; finer where the caller's has to be folded.
    pub asked: Timeframe,
    pub word: &'static str,
    /// Boundaries of the wanted timeframe; `to` is not after what is closed now.
    pub from: Timestamp,
    pub to: Timestamp,
    /// At most the newest so many are answered.
    pub limit: usize,
    /// Which part of the request budget pays for it.
    pub lane: Lane,
}

/// How many candles are looked back for, at first, when only a number of them is asked for: markets close for nights and
/// week-ends.
const SLACK: i64 = 5;

/// Plans a request; `None` when nothing in it can be closed by `now`.
pub fn plan(
    venue: &'static str,
    request: &CandleRequest,
    natives: &[Native],
    now: Timestamp,
) -> Result<Option<Plan>, ProviderError> {
    let wanted = request.timeframe;
    let fits = |native: &&Native| wanted == native.timeframe() || wanted.is_multiple_of(native.timeframe());
    let native = natives.iter().filter(fits).max_by_key(|native| native.timeframe()).ok_or_else(|| {
        let words: Vec<String> = natives.iter().map(|native| native.timeframe().to_string()).collect();
        let reason = format!("it has no candles of which {wanted} can be made; it has {}", words.join(", "));
        ProviderError::Refused { venue, reason }
    })?;
    let up = |time: Timestamp| {
        let open = wanted.open_time(time);
        if open < time { wanted.close_time(open) } else { open }
    };
    let closed = wanted.open_time(now);
    let to = request.to.map_or(closed, |to| up(to).min(closed));
    let back = || {
        let count = i64::try_from(request.limit).unwrap_or(i64::MAX).saturating_mul(SLACK).saturating_add(10);
        wanted.open_time(to.plus_nanos(wanted.approx_nanos().saturating_mul(count).saturating_neg()))
    };
    let from = request.from.map_or_else(back, up).max(Timestamp::EPOCH);
    let lane = match request.purpose {
        Purpose::Fetch => Lane::Fetch,
        Purpose::Look => Lane::Look,
        Purpose::Follow => Lane::Follow,
    };
    let plan = Plan { wanted, asked: native.timeframe(), word: native.word, from, to, limit: request.limit, lane };
    Ok((from < to && request.limit > 0).then_some(plan))
}

/// Brings a venue's rows into the form that was promised: inside the range, in order, each once, folded, the newest
/// `limit`. The later of two rows of one time wins, as it does at every venue that sends revisions.
pub fn within(plan: &Plan, mut rows: Vec<Candle>) -> Vec<Candle> {
    rows.retain(|candle| candle.open_time >= plan.from && candle.open_time < plan.to);
    rows.sort_by_key(|candle| candle.open_time);
    rows.dedup_by(|later, kept| {
        let same = later.open_time == kept.open_time;
        if same {
            *kept = *later;
        }
        same
    });
    let mut candles = if plan.asked == plan.wanted { rows } else { fold(&rows, plan.wanted) };
    let surplus = candles.len().saturating_sub(plan.limit);
    candles.drain(..surplus);
    candles
}

/// Asks page after page, `span` candles of the asked length each, oldest first.
pub async fn page_through<'a>(
    plan: &Plan,
    span: usize,
    mut page: impl FnMut(Timestamp, Timestamp) -> BoxFuture<'a, Result<Vec<Candle>, ProviderError>>,
) -> Result<Vec<Candle>, ProviderError> {
    let step = plan.asked.approx_nanos().saturating_mul(i64::try_from(span).unwrap_or(i64::MAX));
    let mut rows = Vec::new();
    let mut from = plan.from;
    while from < plan.to {
        let to = plan.asked.open_time(from.plus_nanos(step)).min(plan.to);
        let to = if to > from { to } else { plan.asked.close_time(from).min(plan.to) };
        rows.extend(page(from, to).await?);
        from = to;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use cw_core::{Price, Volume};
    use futures_util::FutureExt;

    use super::*;

    const NATIVES: &[Native] = &[
        Native::of(1, TimeframeUnit::Minute, "1m"),
        Native::of(1, TimeframeUnit::Hour, "1h"),
        Native::of(1, TimeframeUnit::Day, "1d"),
    ];

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn request(timeframe: &str, from: Option<&str>, to: Option<&str>, limit: usize) -> CandleRequest {
        let instrument = "X.TEST".parse().unwrap();
        let purpose = Purpose::Look;
        CandleRequest {
            instrument,
            timeframe: timeframe.parse().unwrap(),
            from: from.map(at),
            to: to.map(at),
            limit,
            purpose,
        }
    }

    fn planned(request: &CandleRequest) -> Option<Plan> {
        plan("TEST", request, NATIVES, at("2026-01-02T10:30:30Z")).unwrap()
    }

    fn candle(time: Timestamp, close: i64) -> Candle {
        let price = Price::from_raw(close);
        Candle { open_time: time, open: price, high: price, low: price, close: price, volume: Volume::ZERO }
    }

    #[test]
    fn the_coarsest_length_that_fits_is_asked_and_nothing_that_is_open() {
        let plan = planned(&request("4h", Some("2026-01-01T01:00:00Z"), None, 100)).unwrap();
        assert_eq!((plan.word, plan.from, plan.to), ("1h", at("2026-01-01T04:00:00Z"), at("2026-01-02T08:00:00Z")));
        let plan = planned(&request("1m", Some("2026-01-02T10:00:00Z"), Some("2027-01-01"), 100)).unwrap();
        assert_eq!(plan.to, at("2026-01-02T10:30:00Z"));
        assert_eq!(planned(&request("1m", Some("2026-01-02T10:30:00Z"), None, 9)), None);
        assert!(super::plan("TEST", &request("30s", None, None, 9), NATIVES, at("2026-01-02")).is_err());
    }

    #[test]
    fn rows_are_cut_ordered_folded_and_said_once() {
        let plan = planned(&request("2m", Some("2026-01-02T10:00:00Z"), Some("2026-01-02T10:06:00Z"), 2)).unwrap();
        let minute = |m: i64| at("2026-01-02T10:00:00Z").plus_nanos(m * 60_000_000_000);
        let rows = [(7, 1), (3, 3), (0, 9), (-1, 1), (2, 2), (3, 4), (5, 5)].map(|(m, close)| candle(minute(m), close));
        let closes: Vec<_> = within(&plan, rows.to_vec()).iter().map(|c| (c.open_time, c.close.raw())).collect();
        assert_eq!(closes, [(minute(2), 4), (minute(4), 5)]);
    }

    #[tokio::test]
    async fn pages_lie_side_by_side() {
        let plan = planned(&request("1h", Some("2026-01-01"), Some("2026-01-01T07:00:00Z"), 100)).unwrap();
        let mut pages = Vec::new();
        page_through(&plan, 3, |from, to| {
            pages.push((from, to));
            async { Ok(Vec::new()) }.boxed()
        })
        .await
        .unwrap();
        let hour = |h: i64| at("2026-01-01").plus_nanos(h * 3_600_000_000_000);
        assert_eq!(pages, [(hour(0), hour(3)), (hour(3), hour(6)), (hour(6), hour(7))]);
    }
}
