//! Every source of news in one table, and what the configuration says of them.

use std::sync::Arc;

use cw_market::NewsProvider;
use serde::Deserialize;

use crate::catalog::{self, SetupError};
use crate::net::Handles;
use crate::{alpaca, brave};

/// `[news]`. A source with a key is asked; one without is not.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// For how long an answer counts: the same search within it asks nobody.
    pub fresh_minutes: u32,
    pub brave: brave::Settings,
    pub alpaca: AlpacaSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self { fresh_minutes: 10, brave: brave::Settings::default(), alpaca: AlpacaSettings::default() }
    }
}

/// `[news.alpaca]`: the same keys as the venue's.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlpacaSettings {
    pub key: Option<String>,
    pub secret: Option<String>,
    pub rest_url: Option<String>,
    pub stream_url: Option<String>,
}

impl std::fmt::Debug for AlpacaSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AlpacaSettings").field("rest_url", &self.rest_url).finish_non_exhaustive()
    }
}

impl AlpacaSettings {
    fn venue(&self) -> catalog::Settings {
        catalog::Settings {
            enabled: true,
            rest_url: self.rest_url.clone(),
            stream_url: self.stream_url.clone(),
            key: self.key.clone(),
            secret: self.secret.clone(),
            ..catalog::Settings::default()
        }
    }
}

/// The sources that have a key, the one whose times are exact first: of the same story the first one told stays.
pub fn connect(settings: &Settings, handles: &Handles) -> Result<Vec<Arc<dyn NewsProvider>>, SetupError> {
    let mut providers: Vec<Arc<dyn NewsProvider>> = Vec::new();
    if settings.alpaca.key.is_some() {
        providers.push(Arc::new(alpaca::news(&settings.alpaca.venue(), handles.clone())?));
    }
    if settings.brave.key.is_some() {
        providers.push(Arc::new(brave::connect(&settings.brave, handles.clone())?));
    }
    Ok(providers)
}
