//! Windows of candles with indicators, as charts draw them.

use cw_analysis::{Columns, ExprError, StudySet, StudyState};
use cw_api::ApiError;
use cw_api::commands::market::GetChartWindow;
use cw_api::frame::{ChartFrame, ChartHeader};
use cw_api::stream::ChartPoint;
use cw_core::{Cadence, Calendar, Candle, FormingCandle, InstrumentId, Timeframe, Timestamp};

use super::history::follows;
use super::remote::Brought;
use super::traded::Newest;
use super::{Market, Span};

/// Rows that one window may have.
const MOST_ROWS: u32 = 20_000;
/// The slowest average in use (Wilder's, which weighs the newest candle with 1/n) has forgotten all but 2 × 10⁻⁹ of what
/// was before after this many times its period: nothing that a chart could show.
const FORGOTTEN_AFTER: usize = 20;
const LEAST_WARM_UP: usize = 100;
/// MACD's slow average has the longest default period.
const SLOWEST_DEFAULT: f64 = 26.0;
/// Levels come from as many candles as enriched candles look back on.
const STRUCTURE_PERIOD: f64 = (cw_analysis::enrich::HISTORY / FORGOTTEN_AFTER) as f64;
/// Also for the longest period and the highest timeframe no more than this is read; what needs more shows as warming up.
const MOST_WARM_UP: usize = 50_000;

/// A session's worth of candles that end with what was traded; how many that are nobody knows beforehand.
const SESSION_OF_TRADES: f64 = 5_000.0;

/// Indicators over one timeframe.
#[derive(Debug)]
pub(in crate::services) struct Study {
    set: StudySet,
    timeframe: Cadence,
    calendar: Calendar,
    warm_up: usize,
}

impl Study {
    /// `None` when `text` is empty.
    pub fn parse(text: &str, timeframe: impl Into<Cadence>) -> Result<Option<Self>, ApiError> {
        let timeframe = timeframe.into();
        if text.trim().is_empty() {
            return Ok(None);
        }
        let set = StudySet::parse(text).map_err(|error| wrong(text, &error))?;
        // Whether its timeframes can be folded from this one shows here.
        set.new_state(timeframe).map_err(|error| ApiError::invalid("set", error.to_string()))?;
        let shortest = if set.reads_structure() { STRUCTURE_PERIOD } else { SLOWEST_DEFAULT };
        Ok(Some(Self { set, timeframe, calendar: Calendar::Continuous, warm_up: warm_up(text, timeframe, shortest) }))
    }

    /// Sessions and longer candles are those of this calendar.
    pub fn in_calendar(self, calendar: Calendar) -> Self {
        Self { calendar, ..self }
    }

    pub fn columns(&self) -> &[String] {
        self.set.columns()
    }

    /// Candles to compute before the first one that is shown.
    pub const fn warm_up(&self) -> usize {
        self.warm_up
    }

    /// All candles at once: one column per output, and the state behind the last.
    pub fn batch(&self, candles: &[Candle]) -> Result<(StudyState, Vec<Vec<f64>>), ApiError> {
        let state = self.set.new_state(self.timeframe).map_err(|error| ApiError::invalid("set", error.to_string()))?;
        let mut state = state.in_calendar(self.calendar);
        let columns = self.set.batch(&mut state, &Columns::from_candles(candles));
        Ok((state, columns))
    }

    pub fn push(&self, state: &mut StudyState, candle: &Candle, row: &mut Vec<f64>) {
        self.set.push(state, candle, row);
    }

    pub fn preview(&self, state: &StudyState, forming: &FormingCandle, row: &mut Vec<f64>) {
        self.set.preview(state, forming, row);
    }
}

fn wrong(text: &str, error: &ExprError) -> ApiError {
    let place = text.get(error.start..error.end).filter(|place| !place.is_empty());
    let mut message = match place {
        Some(place) => format!("\"{place}\": {}", error.message),
        None => error.message.clone(),
    };
    if let Some(hint) = &error.hint {
        message = format!("{message}; {hint}");
    }
    ApiError::invalid("set", message)
}

/// Candles after which the beginning no longer shows in any output: the longest period written, in the highest timeframe
/// written, times [`FORGOTTEN_AFTER`]; whole sessions for prices that are averaged over a day.
///
/// It reads the text and not the compiled set: a period that is too long by a candle costs nothing, and every number of
/// the language that matters here is written as a number.
fn warm_up(text: &str, timeframe: Cadence, shortest: f64) -> usize {
    let mut written = 0.0_f64;
    let mut number = String::new();
    for c in text.chars().chain([' ']) {
        if c.is_ascii_digit() || c == '.' {
            number.push(c);
        } else {
            written = number.parse().map_or(written, |n: f64| written.max(n));
            number.clear();
        }
    }
    let longest = written.max(shortest);
    let candle = timeframe.timeframe().map(|timeframe| timeframe.approx_nanos().max(1) as f64);
    let quoted = text.split(['"', '\'']).skip(1).step_by(2);
    let highest = quoted
        .filter_map(|word| Some(word.parse::<Timeframe>().ok()?.approx_nanos() as f64 / candle?))
        .fold(1.0, f64::max);
    let periods = longest * highest * FORGOTTEN_AFTER as f64;
    let hours = written.max(24.0);
    let session = match candle {
        _ if !text.contains("vwap") => 0.0,
        Some(candle) => hours * 3_600.0 * Timestamp::NANOS_PER_SECOND as f64 / candle,
        None => hours / 24.0 * SESSION_OF_TRADES,
    };
    (periods.max(session).ceil() as usize).clamp(LEAST_WARM_UP, MOST_WARM_UP)
}

/// Columns from `open` to `volume` and `time` in front, as the frame names them.
const PRICES: [&str; 6] = ["time", "open", "high", "low", "close", "volume"];

fn seconds(time: Timestamp) -> f64 {
    time.as_nanos() as f64 / Timestamp::NANOS_PER_SECOND as f64
}

const fn unknown(value: f64) -> Option<f64> {
    if value.is_finite() { Some(value) } else { None }
}

/// A candle with its plots as the stream sends it.
pub(in crate::services) fn point(candle: &Candle, plots: &[f64]) -> ChartPoint {
    ChartPoint {
        time: seconds(candle.open_time),
        o: candle.open.to_f64(),
        h: candle.high.to_f64(),
        l: candle.low.to_f64(),
        c: candle.close.to_f64(),
        v: candle.volume.to_f64(),
        plots: plots.iter().copied().map(unknown).collect(),
    }
}

/// The last `shown` candles and the forming one as columns of floats; what is before them only warms the indicators up.
fn assemble(
    study: Option<&Study>,
    candles: &[Candle],
    shown: usize,
    forming: Option<&FormingCandle>,
) -> Result<Vec<Vec<f64>>, ApiError> {
    let start = candles.len().saturating_sub(shown);
    let rows = || candles[start..].iter().chain(forming.map(|f| &f.so_far));
    let column = |value: fn(&Candle) -> f64| -> Vec<f64> { rows().map(value).collect() };
    let mut columns = vec![
        column(|c| seconds(c.open_time)),
        column(|c| c.open.to_f64()),
        column(|c| c.high.to_f64()),
        column(|c| c.low.to_f64()),
        column(|c| c.close.to_f64()),
        column(|c| c.volume.to_f64()),
    ];
    if let Some(study) = study {
        let (state, mut plots) = study.batch(candles)?;
        for plot in &mut plots {
            plot.drain(..start);
        }
        if let Some(forming) = forming {
            let mut row = Vec::with_capacity(plots.len());
            study.preview(&state, forming, &mut row);
            for (plot, value) in plots.iter_mut().zip(row) {
                plot.push(value);
            }
        }
        columns.append(&mut plots);
    }
    Ok(columns)
}

impl Market {
    /// Decimals to show prices of an instrument with.
    pub(in crate::services) async fn price_decimals(&self, instrument: &InstrumentId, candles: &[Candle]) -> u8 {
        match self.instrument(instrument).await {
            Ok(instrument) => instrument.price_decimals,
            // Taken off the list, but its candles are still there.
            Err(_) => decimals(candles),
        }
    }

    pub(super) async fn window(&self, request: GetChartWindow) -> Result<ChartFrame, ApiError> {
        let GetChartWindow { instrument, timeframe, before, limit, set } = request;
        if !(1..=MOST_ROWS).contains(&limit) {
            return Err(ApiError::invalid("limit", format!("limit must be from 1 to {MOST_ROWS}, not {limit}")));
        }
        let calendar = self.calendar_of(&instrument).await?;
        let study = Study::parse(&set, timeframe)?.map(|study| study.in_calendar(calendar));
        let rows = limit as usize;
        // One more than is needed tells whether there are older ones.
        let wanted = rows + study.as_ref().map_or(0, Study::warm_up) + 1;
        let span = Span { from: None, to: before, limit: Some(wanted) };
        let brought = match timeframe {
            Cadence::Time(timeframe) if before.is_none() => {
                self.bring_window(&instrument, timeframe, calendar, span).await?
            }
            _ => Brought::Nothing,
        };
        let catching_up = brought == Brought::Behind;
        let newest = match timeframe {
            Cadence::Time(timeframe) if brought != Brought::Nothing => {
                let forming = if catching_up { None } else { self.forming(&instrument, timeframe).await? };
                Newest { candles: self.stored(&instrument, timeframe, calendar, span).await?, forming, cut: false }
            }
            _ => self.recent(&instrument, timeframe, span, before.is_none()).await?,
        };
        let Newest { candles, forming, cut } = newest;
        let forming = forming.filter(|forming| follows(forming, candles.last()));
        let shown = (rows - usize::from(forming.is_some())).min(candles.len());
        let columns = assemble(study.as_ref(), &candles, shown, forming.as_ref())?;
        let names = PRICES.iter().map(|name| (*name).to_owned());
        let names = names.chain(study.iter().flat_map(|s| s.columns().iter().cloned())).collect();
        let price_decimals = self.price_decimals(&instrument, &candles[candles.len().saturating_sub(200)..]).await;
        Ok(ChartFrame {
            header: ChartHeader {
                rows: (shown + usize::from(forming.is_some())) as u32,
                columns: names,
                price_decimals,
                provider: self.provider_of(&instrument),
                has_more_before: candles.len() > shown || cut || catching_up,
                forming: forming.is_some(),
                catching_up,
                instrument,
                timeframe,
            },
            columns,
        })
    }
}

/// The most decimals that any of these prices has.
pub(super) fn decimals<'a>(candles: impl IntoIterator<Item = &'a Candle>) -> u8 {
    let of = |raw: i64| (0..9).find(|decimals| raw % 10_i64.pow(9 - u32::from(*decimals)) == 0).unwrap_or(9);
    let all = candles.into_iter().flat_map(|c| [c.open, c.high, c.low, c.close]);
    all.map(|price| of(price.raw())).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use cw_core::{Price, Volume};

    use super::*;

    fn candles(count: i64) -> Vec<Candle> {
        (0..count)
            .map(|minute| {
                let close = Price::from_raw((100 + (minute * 7) % 13) * 1_000_000_000);
                let (high, low) =
                    (Price::from_raw(close.raw() + 500_000_000), Price::from_raw(close.raw() - 250_000_000));
                let open_time = Timestamp::from_secs(minute * 60);
                Candle { open_time, open: close, high, low, close, volume: Volume::from_raw(1_000_000_000) }
            })
            .collect()
    }

    fn same(a: &[f64], b: &[f64]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()))
    }

    #[test]
    fn a_window_shows_what_the_whole_series_shows() {
        let all = candles(400);
        let study = Study::parse("ema(5),rsi(14),bb(20,2)", Timeframe::M1).unwrap().unwrap();
        let whole = assemble(Some(&study), &all, 400, None).unwrap();
        let window = assemble(Some(&study), &all, 50, None).unwrap();
        assert_eq!(window.len(), 6 + study.columns().len());
        for (whole, window) in whole.iter().zip(&window) {
            assert!(same(&whole[350..], window));
        }
        assert!(whole[6][3].is_nan() && whole[6][4].is_finite(), "ema(5) needs five closes");
    }

    #[test]
    fn the_forming_row_is_what_its_close_would_give() {
        let all = candles(120);
        let study = Study::parse("ema(5),macd(12,26,9)", Timeframe::M1).unwrap().unwrap();
        let forming = FormingCandle { so_far: all[119], as_of: Timestamp::from_secs(119 * 60 + 30) };
        let previewed = assemble(Some(&study), &all[..119], 40, Some(&forming)).unwrap();
        let closed = assemble(Some(&study), &all, 41, None).unwrap();
        assert_eq!(previewed[0].len(), 41);
        for (previewed, closed) in previewed.iter().zip(&closed) {
            assert!(same(previewed, closed));
        }
    }

    #[test]
    fn warming_up_reaches_as_far_as_the_slowest_part() {
        let tf = |text: &str| text.parse::<Cadence>().unwrap();
        assert_eq!(warm_up("sma(3)", tf("15m"), SLOWEST_DEFAULT), 26 * 20);
        assert_eq!(warm_up("ema(200), rsi(14)", tf("15m"), SLOWEST_DEFAULT), 200 * 20);
        assert_eq!(warm_up("on(\"4h\", ema(50))", tf("1h"), SLOWEST_DEFAULT), 50 * 20 * 4);
        assert_eq!(warm_up("vwap(100)", tf("1m"), SLOWEST_DEFAULT), 6_000, "hours, not candles");
        assert_eq!(warm_up("ema(5000)", tf("1m"), SLOWEST_DEFAULT), MOST_WARM_UP);
        assert_eq!(warm_up("ema(200)", tf("100t"), SLOWEST_DEFAULT), 200 * 20);
        assert_eq!(warm_up("vwap", tf("100t"), SLOWEST_DEFAULT), 5_000);
        let levels = Study::parse("on(\"4h\", support(2))", tf("1h")).unwrap().unwrap();
        assert_eq!(levels.warm_up(), cw_analysis::enrich::HISTORY * 4);
    }

    #[test]
    fn a_wrong_set_is_refused_with_its_place_and_a_hint() {
        let error = Study::parse("emma(20)", Timeframe::M1).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("set"));
        assert!(error.message.contains("emma") && error.message.contains("ema"), "{}", error.message);
        assert!(Study::parse("on(\"7m\", ema(5))", Timeframe::H1).is_err());
        assert!(Study::parse("  ", Timeframe::H1).unwrap().is_none());
    }

    #[test]
    fn decimals_are_those_of_the_finest_price() {
        assert_eq!(decimals(&candles(3)), 2);
        assert_eq!(decimals(&[]), 0);
    }
}
