//! `[news]`: who is asked for news.

use std::sync::Arc;
use std::time::Duration;

use cw_core::Clock;
use cw_market::NewsProvider;
use cw_venues::news;

use super::Settings;

/// Who is asked, and for how long an answer counts.
pub(crate) struct NewsSources {
    pub providers: Vec<Arc<dyn NewsProvider>>,
    pub fresh: Duration,
    /// Whether what is published is taken in as it happens.
    pub follow: bool,
}

impl NewsSources {
    /// What `[news]` says; for Alpaca's what the venue of that name says, where it is switched on and nothing else is said.
    pub fn connect(settings: &Settings, clock: &Arc<dyn Clock>, follow: bool) -> Result<Self, String> {
        let venue = settings.venues.get("alpaca").filter(|venue| venue.enabled);
        let mut settings = settings.news.clone();
        if let Some(venue) = venue.filter(|venue| settings.alpaca.key.is_none() && venue.secret.is_some()) {
            settings.alpaca = news::AlpacaSettings {
                key: venue.key.clone(),
                secret: venue.secret.clone(),
                rest_url: venue.rest_url.clone(),
                stream_url: venue.stream_url.clone(),
            };
        }
        let providers =
            news::connect(&settings, &crate::venues::handles(clock)?).map_err(|error| format!("news: {error}"))?;
        Ok(Self { providers, fresh: Duration::from_secs(u64::from(settings.fresh_minutes) * 60), follow })
    }
}
