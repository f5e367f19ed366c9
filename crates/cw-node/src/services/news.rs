//! News: asked of the providers once in a while, kept, and found again without them.

use std::sync::Arc;
use std::time::Duration;

use cw_api::commands::news::{ListNews, NewsAnswer as Answer, NewsList, NewsProvider as ProviderView, SearchNews};
use cw_api::{ApiError, Caller, ErrorCode};
use cw_core::{NewsItem, Timestamp};
use cw_market::{NewsProvider, NewsRequest, SAME_STORY_NANOS, absorb};
use cw_store::{NewsAnswer, NewsQuery};
use futures_util::future;
use serde_json::json;
use tokio::sync::{Mutex, mpsc};

use crate::shared::{Shared, storage};

const DEFAULT_FOUND: u32 = 20;
const DEFAULT_LISTED: u32 = 50;
const MOST_LISTED: u32 = 200;
const LONGEST_TEXT: usize = 300;
/// What a search waits for a provider, its retries included.
const PATIENCE: Duration = Duration::from_secs(12);
/// Items near in time that new ones are compared with.
const NEIGHBORS: u32 = 5_000;
/// Items wait here while others are written.
const QUEUE: usize = 64;
/// `since` is asked for in whole hours, so that "the last day" is the same question for an hour.
const HOUR: i64 = 3_600 * Timestamp::NANOS_PER_SECOND;

pub(crate) struct News {
    shared: Arc<Shared>,
    providers: Vec<Arc<dyn NewsProvider>>,
    /// For how long an answer counts, in nanoseconds.
    fresh: i64,
    /// Held while items are compared with what is known and written, so that two searches cannot add one story twice.
    writing: Mutex<()>,
}

impl News {
    pub fn new(shared: Arc<Shared>, providers: Vec<Arc<dyn NewsProvider>>, fresh: Duration) -> Self {
        let fresh = i64::try_from(fresh.as_nanos()).unwrap_or(i64::MAX);
        Self { shared, providers, fresh, writing: Mutex::new(()) }
    }

    /// Takes in what a provider tells as it happens, until the node stops.
    pub async fn follow(self: Arc<Self>, provider: Arc<dyn NewsProvider>) {
        let (sink, mut told) = mpsc::channel(QUEUE);
        let take = async {
            while let Some(item) = told.recv().await {
                if let Err(error) = self.take(&[item]).await {
                    tracing::error!(target: "news", %error, "an item could not be kept");
                }
            }
        };
        tokio::select! {
            biased;
            ended = provider.stream(sink) => if let Err(error) = ended {
                tracing::error!(target: "news", provider = provider.name(), %error, "no news come any more");
            },
            () = take => {}
        }
    }

    pub fn providers(&self) -> &[Arc<dyn NewsProvider>] {
        &self.providers
    }

    /// Takes in what was told; the ids under which it is known.
    async fn take(&self, told: &[NewsItem]) -> Result<Vec<String>, ApiError> {
        let _alone = self.writing.lock().await;
        let times = told.iter().map(|item| item.published_at);
        let (Some(first), Some(last)) = (times.clone().min(), times.max()) else { return Ok(Vec::new()) };
        let store = &self.shared.store;
        let near = NewsQuery {
            since: Some(first.plus_nanos(-SAME_STORY_NANOS)),
            before: Some(last.plus_nanos(SAME_STORY_NANOS)),
            limit: NEIGHBORS,
            ..NewsQuery::default()
        };
        let ids: Vec<String> = told.iter().map(|item| item.id.clone()).collect();
        let mut known = store.news_by_id(&ids).await.map_err(storage)?;
        let near = store.news(&near).await.map_err(storage)?;
        known.extend(near.into_iter().filter(|item| !ids.contains(&item.id)));
        let absorbed = absorb(&known, told);
        store.put_news(&absorbed.write).await.map_err(storage)?;
        Ok(absorbed.ids)
    }

    /// What a provider says to a question, now or a short while ago, as ids of items.
    async fn ask(
        &self,
        provider: &dyn NewsProvider,
        question: &str,
        request: &NewsRequest,
    ) -> Result<(ProviderView, Vec<String>), ApiError> {
        let store = &self.shared.store;
        let kept = store.news_answer(question, provider.name()).await.map_err(storage)?;
        let (answered_at, items) = kept.map_or((None, Vec::new()), |kept| (Some(kept.answered_at), kept.items));
        let view = |answer, problem| ProviderView { name: provider.name().to_owned(), answer, answered_at, problem };
        let now = self.shared.clock.now();
        if answered_at.is_some_and(|at| (0..self.fresh).contains(&now.nanos_since(at))) {
            return Ok((view(Answer::Kept, None), items));
        }
        if self.shared.read_only {
            return Ok((view(Answer::Unasked, Some("this program only reads here".to_owned())), items));
        }
        let told = match tokio::time::timeout(PATIENCE, provider.search(request)).await {
            Ok(told) => told.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer in {} s", PATIENCE.as_secs())),
        };
        match told {
            Ok(told) => {
                let taken = self.take(&told).await?;
                // Who does not look for words told everything: what fits is found among what is known.
                let items = if provider.finds_words() { taken } else { Vec::new() };
                let (question, name) = (question.to_owned(), provider.name().to_owned());
                let answer = NewsAnswer { question, provider: name, answered_at: now, items: items.clone() };
                store.put_news_answer(&answer).await.map_err(storage)?;
                Ok((ProviderView { answered_at: Some(now), ..view(Answer::Fresh, None) }, items))
            }
            Err(problem) => {
                tracing::warn!(target: "news", provider = provider.name(), problem, "a news provider did not answer");
                Ok((view(Answer::Failed, Some(problem)), items))
            }
        }
    }

    async fn search_all(&self, request: SearchNews) -> Result<NewsList, ApiError> {
        let SearchNews { text, symbol, since, limit, source } = request;
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if !text.chars().any(char::is_alphanumeric) || text.chars().count() > LONGEST_TEXT {
            return Err(ApiError::invalid("text", format!("text must have a word and at most {LONGEST_TEXT} letters")));
        }
        let limit = within("limit", limit, DEFAULT_FOUND)?;
        let (symbol, source) = (plain_symbol(symbol)?, source.map(|source| publisher(&source)));
        let wanted = source.as_deref().filter(|name| self.providers.iter().any(|provider| provider.name() == *name));
        let asked = NewsRequest {
            symbol: symbol.clone(),
            since: since.map(|since| since.plus_nanos(-since.as_nanos().rem_euclid(HOUR))),
            site: source.clone().filter(|source| wanted.is_none() && source.contains('.')),
            limit: limit as usize,
            text,
        };
        let question = |words: &str| json!([words, asked.symbol, asked.since, asked.site, asked.limit]).to_string();
        let ask = |provider: &Arc<dyn NewsProvider>| {
            // To who does not look for words every search is the same.
            let words = if provider.finds_words() { asked.text.to_lowercase() } else { String::new() };
            let (provider, question, asked) = (Arc::clone(provider), question(&words), &asked);
            async move {
                if wanted.is_some_and(|name| name != provider.name()) {
                    return Ok((unasked(provider.name()), Vec::new()));
                }
                self.ask(&*provider, &question, asked).await
            }
        };
        let answers = future::try_join_all(self.providers.iter().map(ask)).await?;
        let (providers, ids): (Vec<ProviderView>, Vec<Vec<String>>) = answers.into_iter().unzip();
        let store = &self.shared.store;
        let mut items = store.news_by_id(&ids.concat()).await.map_err(storage)?;
        let known = NewsQuery { words: Some(asked.text), symbol, source: source.clone(), since, before: None, limit };
        items.extend(store.news(&known).await.map_err(storage)?);
        items.retain(|item| since.is_none_or(|since| item.published_at >= since));
        items.retain(|item| source.as_deref().is_none_or(|source| item.source == source || item.provider == source));
        items.sort_by(|a, b| b.published_at.cmp(&a.published_at).then_with(|| a.id.cmp(&b.id)));
        items.dedup_by(|a, b| a.id == b.id);
        items.truncate(limit as usize);
        if items.is_empty() {
            nobody_answered(&providers)?;
        }
        Ok(NewsList { items, providers })
    }

    async fn list_known(&self, request: ListNews) -> Result<NewsList, ApiError> {
        let ListNews { symbol, since, before, limit, source } = request;
        let query = NewsQuery {
            words: None,
            symbol: plain_symbol(symbol)?,
            source: source.map(|source| publisher(&source)),
            since,
            before,
            limit: within("limit", limit, DEFAULT_LISTED)?,
        };
        let items = self.shared.store.news(&query).await.map_err(storage)?;
        Ok(NewsList { items, providers: self.providers.iter().map(|provider| unasked(provider.name())).collect() })
    }
}

#[async_trait::async_trait]
impl cw_api::services::News for News {
    async fn search(&self, _: &Caller, request: SearchNews) -> Result<NewsList, ApiError> {
        self.search_all(request).await
    }
    async fn list(&self, _: &Caller, request: ListNews) -> Result<NewsList, ApiError> {
        self.list_known(request).await
    }
}

fn unasked(name: &str) -> ProviderView {
    ProviderView { name: name.to_owned(), answer: Answer::Unasked, answered_at: None, problem: None }
}

/// An error when there is nothing to show because nobody could be asked.
fn nobody_answered(providers: &[ProviderView]) -> Result<(), ApiError> {
    if providers.iter().any(|provider| matches!(provider.answer, Answer::Fresh | Answer::Kept)) {
        return Ok(());
    }
    let problems: Vec<String> = providers
        .iter()
        .filter_map(|provider| Some(format!("{}: {}", provider.name, provider.problem.as_deref()?)))
        .collect();
    if problems.is_empty() {
        let words = "no news provider is set up: the configuration names none (news.brave.key, news.alpaca.key)";
        return Err(ApiError::new(ErrorCode::Unavailable, words));
    }
    Err(ApiError::unavailable(problems.join("; ")))
}

fn within(field: &str, limit: Option<u32>, default: u32) -> Result<u32, ApiError> {
    let limit = limit.unwrap_or(default);
    if (1..=MOST_LISTED).contains(&limit) {
        return Ok(limit);
    }
    Err(ApiError::invalid(field, format!("{field} must be from 1 to {MOST_LISTED}, not {limit}")))
}

/// A publisher's or provider's name as items carry it.
fn publisher(text: &str) -> String {
    let lower = text.trim().to_lowercase();
    lower.strip_prefix("www.").unwrap_or(&lower).to_owned()
}

/// A symbol as items carry it: without its venue, and pairs without what stands between: `BTC/USD.ALPACA` is `BTCUSD`.
fn plain_symbol(text: Option<String>) -> Result<Option<String>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let is_venue = |code: &str| code == "SIM" || cw_venues::catalog::find(code).is_some();
    let upper = text.trim().to_uppercase();
    let symbol = upper.rsplit_once('.').filter(|(_, code)| is_venue(code)).map_or(upper.as_str(), |(symbol, _)| symbol);
    let symbol = symbol.trim_start_matches("X:").trim_start_matches("C:").trim_end_matches("-PERP");
    let plain: String = symbol.chars().filter(|c| !matches!(c, '/' | '_')).collect();
    if plain.is_empty() || plain.len() > 20 || !plain.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.^=".contains(&b))
    {
        return Err(ApiError::invalid("symbol", "symbol must be a symbol like AAPL or an instrument like AAPL.ALPACA"));
    }
    Ok(Some(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_lose_venue_and_punctuation() {
        for (text, expected) in [
            ("aapl", "AAPL"),
            ("AAPL.ALPACA", "AAPL"),
            ("BRK.B", "BRK.B"),
            ("BTC/USD.ALPACA", "BTCUSD"),
            ("EUR_USD.OANDA", "EURUSD"),
            ("BTC-PERP.SIM", "BTC"),
            ("X:BTCUSD.POLYGON", "BTCUSD"),
        ] {
            assert_eq!(plain_symbol(Some(text.to_owned())).unwrap().as_deref(), Some(expected), "{text}");
        }
        for bad in ["", "  ", "A B", "%' OR 1", &"A".repeat(30)] {
            assert!(plain_symbol(Some(bad.to_owned())).is_err(), "{bad}");
        }
    }
}
