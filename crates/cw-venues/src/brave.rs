//! Brave Search, news only: what the web's publishers wrote, found by words.
//!
//! An item's time is the page's, which Brave often gives without a zone: it is taken as UTC and marked as approximate.

mod parse;
mod rest;
mod wire;

use cw_core::NewsItem;
use cw_market::{NewsProvider, NewsRequest, ProviderError, ProviderState, ProviderStatus};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;

use crate::catalog::SetupError;
use crate::decode::{self, Decoder};
use crate::net::{BaseUrl, Handles, Secret, Site};

/// `[news.brave]`.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The subscription token. Better in the environment than in a file.
    pub key: Option<String>,
    pub base_url: Option<String>,
    /// Two letters, or `ALL`; `US` without it.
    pub country: Option<String>,
    /// Two letters, as `en`.
    pub language: Option<String>,
    /// How many results a request asks for, 1 to 50; 20 without it.
    pub count: Option<u32>,
    /// How old results may be where a search names no time: `pd`, `pw`, `pm`, `py` (day, week, month, year); `pw` without it.
    pub freshness: Option<String>,
    /// What the plan allows; one each second without it.
    pub requests_per_minute: Option<u32>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("key", &self.key.as_ref().map(|_| "***"))
            .field("base_url", &self.base_url)
            .field("country", &self.country)
            .field("language", &self.language)
            .field("count", &self.count)
            .field("freshness", &self.freshness)
            .field("requests_per_minute", &self.requests_per_minute)
            .finish()
    }
}

/// How Brave is reached.
pub struct Brave {
    site: Site,
    base: BaseUrl,
    key: Secret,
    country: String,
    language: String,
    count: usize,
    freshness: String,
}

/// A provider with these settings.
pub fn connect(settings: &Settings, handles: Handles) -> Result<Brave, SetupError> {
    let word = |field, given: &Option<String>, default: &str, allowed: &'static str, fits: fn(&str) -> bool| {
        let text = given.as_deref().unwrap_or(default);
        if fits(text) { Ok(text.to_owned()) } else { Err(SetupError::value(field, text, allowed)) }
    };
    let letters =
        |text: &str| (2..=7).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-');
    let window = |text: &str| matches!(text, "pd" | "pw" | "pm" | "py");
    let count = settings.count.unwrap_or(20);
    if !(1..=rest::PAGE as u32).contains(&count) {
        return Err(SetupError::value("news.brave.count", &count.to_string(), "from 1 to 50"));
    }
    Ok(Brave {
        site: Site::new("BRAVE", rest::manner(settings.requests_per_minute), handles),
        base: BaseUrl::http(settings.base_url.as_deref().unwrap_or("https://api.search.brave.com/res/v1"))?,
        key: Secret::new(settings.key.clone().ok_or(SetupError::Missing("news.brave.key"))?),
        country: word("news.brave.country", &settings.country, "US", "two letters or ALL", letters)?,
        language: word("news.brave.language", &settings.language, "en", "two letters, as en", letters)?,
        count: count as usize,
        freshness: word("news.brave.freshness", &settings.freshness, "pw", "pd, pw, pm or py", window)?,
    })
}

impl NewsProvider for Brave {
    fn name(&self) -> &'static str {
        "brave"
    }

    fn search<'a>(&'a self, request: &'a NewsRequest) -> BoxFuture<'a, Result<Vec<NewsItem>, ProviderError>> {
        async move {
            let found = self.ask(request).await;
            match &found {
                Ok(_) => self.site.health.become_state(ProviderState::Live, "asked when news are searched"),
                Err(error) => self.site.health.become_state(ProviderState::Down, error.to_string()),
            }
            found
        }
        .boxed()
    }

    fn status(&self) -> ProviderStatus {
        self.site.health.status()
    }
}

/// What reads its payloads, see [`crate::decode`].
pub(crate) const DECODERS: &[Decoder] =
    &[Decoder::new("brave", "news", |body| decode::answer(|health| parse::found(body, None, decode::NOW, health)))];

#[cfg(test)]
mod tests;
