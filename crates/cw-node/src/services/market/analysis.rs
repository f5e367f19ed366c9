//! Indicators and expressions, as commands tell of them.

use cw_analysis::{Expression, Group, InputKind, Kind, Pane};
use cw_api::ApiError;
use cw_api::commands::market::{
    CheckExpression, CompleteExpression, Completion, Completions, ComputeIndicators, ExpressionCheck, ExpressionError,
    ExpressionKind, IndicatorInfo, IndicatorList, IndicatorOutput, IndicatorParam, IndicatorTable,
};

use super::chart::Study;
use super::history::default_limit;
use super::{Market, Span};

const fn group(group: Group) -> &'static str {
    match group {
        Group::Overlap => "overlap",
        Group::Momentum => "momentum",
        Group::Volatility => "volatility",
        Group::Volume => "volume",
        Group::Statistics => "statistics",
        Group::Cycle => "cycle",
    }
}

pub(super) fn indicators() -> IndicatorList {
    let info = |entry: &cw_analysis::indicators::Entry| {
        let spec = &entry.spec;
        IndicatorInfo {
            name: spec.name.to_owned(),
            title: spec.title.to_owned(),
            group: group(spec.group).to_owned(),
            params: spec
                .params
                .iter()
                .map(|p| IndicatorParam {
                    name: p.name.to_owned(),
                    default: p.default,
                    min: Some(p.min),
                    max: Some(p.max),
                    integer: p.integer,
                })
                .collect(),
            outputs: spec
                .outputs
                .iter()
                .map(|o| IndicatorOutput { name: o.name.to_owned(), title: o.title.to_owned() })
                .collect(),
            guides: spec.guides.to_vec(),
            overlay: spec.pane == Pane::Overlay,
            takes_series: entry.input != InputKind::Candle,
            warm_up: entry.warm_up(&entry.defaults()) as u32,
            doc: spec.doc.to_owned(),
            source: spec.source.to_owned(),
        }
    };
    IndicatorList { indicators: cw_analysis::indicators::all().iter().map(info).collect() }
}

pub(super) fn check(request: &CheckExpression) -> ExpressionCheck {
    let parsed = match request.kind {
        None => Expression::parse(&request.text),
        Some(ExpressionKind::Bool) => Expression::parse_as(&request.text, Kind::Bool),
        Some(ExpressionKind::Number) => Expression::parse_as(&request.text, Kind::Number),
    };
    match parsed {
        Ok(expression) => {
            let kind = match expression.kind() {
                Kind::Bool => ExpressionKind::Bool,
                Kind::Number => ExpressionKind::Number,
            };
            ExpressionCheck { ok: true, error: None, kind: Some(kind) }
        }
        Err(error) => ExpressionCheck {
            ok: false,
            error: Some(ExpressionError {
                message: error.message,
                start: error.start as u32,
                end: error.end as u32,
                hint: error.hint,
            }),
            kind: None,
        },
    }
}

pub(super) fn complete(request: &CompleteExpression) -> Completions {
    let completion = cw_analysis::complete(&request.text, request.cursor as usize);
    let item = |i: cw_analysis::CompletionItem| Completion { insert: i.insert, label: i.label, detail: i.detail };
    Completions {
        items: completion.items.into_iter().map(item).collect(),
        start: completion.start as u32,
        end: completion.end as u32,
    }
}

/// The shortest text that reads back as the same float; nothing while warming up.
fn cell(value: f64) -> Option<String> {
    value.is_finite().then(|| value.to_string())
}

impl Market {
    pub(super) async fn compute(&self, request: ComputeIndicators) -> Result<IndicatorTable, ApiError> {
        let study = Study::parse(&request.set, request.timeframe)?
            .ok_or_else(|| ApiError::invalid("set", "name at least one indicator, for example ema(20)"))?;
        let study = study.in_calendar(self.calendar_of(&request.instrument).await?);
        let limit = default_limit(request.from, request.to, request.limit);
        let span = Span { from: request.from, to: request.to, limit };
        let shown = self.closed(&request.instrument, request.timeframe, span).await?;
        let (Some(first), Some(last)) = (shown.first(), shown.last()) else {
            return Ok(IndicatorTable { columns: columns(&study), rows: Vec::new() });
        };
        // A file's series begins where its indicators begin: as any other program computes them. The simulated market
        // has ten years of minutes, of which only what is not yet forgotten is taken.
        let depth = if self.is_simulated(&request.instrument) { Some(study.warm_up() + shown.len()) } else { None };
        let after = last.open_time.plus_nanos(1);
        let span = Span { from: None, to: Some(after), limit: depth };
        let candles = self.closed(&request.instrument, request.timeframe, span).await?;
        let start = candles.partition_point(|c| c.open_time < first.open_time);
        let (_, values) = study.batch(&candles)?;
        let rows = candles[start..]
            .iter()
            .enumerate()
            .map(|(row, candle)| {
                let time = std::iter::once(Some(candle.open_time.to_string()));
                time.chain(values.iter().map(|column| cell(column[start + row]))).collect()
            })
            .collect();
        Ok(IndicatorTable { columns: columns(&study), rows })
    }
}

fn columns(study: &Study) -> Vec<String> {
    std::iter::once("open_time".to_owned()).chain(study.columns().iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_indicator_is_listed_with_its_ranges() {
        let list = indicators().indicators;
        let macd = list.iter().find(|i| i.name == "macd").unwrap();
        assert_eq!(macd.params.iter().map(|p| p.default).collect::<Vec<_>>(), [12.0, 26.0, 9.0]);
        assert_eq!(macd.outputs.iter().map(|o| o.name.as_str()).collect::<Vec<_>>(), ["", "signal", "histogram"]);
        assert!(!macd.overlay && list.iter().any(|i| i.name == "ema" && i.overlay));
        let guides = |name: &str| list.iter().find(|info| info.name == name).unwrap().guides.clone();
        assert_eq!((guides("rsi"), guides("macd"), guides("ema")), (vec![30.0, 70.0], vec![0.0], vec![]));
        assert!(macd.takes_series && macd.warm_up >= 26 + 9 - 2 && !macd.source.is_empty());
        assert!(list.iter().all(|i| i.params.iter().all(|p| p.min <= Some(p.default) && Some(p.default) <= p.max)));
    }

    #[test]
    fn an_expression_is_checked_with_its_place() {
        let check = |text: &str, kind| check(&CheckExpression { text: text.to_owned(), kind });
        assert_eq!(check("close > ema(20)", None).kind, Some(ExpressionKind::Bool));
        let wrong = check("ema(20)", Some(ExpressionKind::Bool));
        assert!(!wrong.ok && wrong.kind.is_none());
        let error = check("close > emma(20)", None).error.unwrap();
        assert_eq!((error.start, error.end), (8, 12));
        assert!(error.hint.unwrap().contains("ema"));
    }
}
