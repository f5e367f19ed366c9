//! All of a venue's instruments at once.

use std::sync::Arc;

use cw_core::{Instrument, InstrumentId};
use cw_market::{ProviderError, matches};
use futures_util::future::BoxFuture;
use parking_lot::RwLock;
use tokio::sync::Mutex;

use super::venue::Site;

type Asked<'a> = BoxFuture<'a, Result<Vec<Instrument>, ProviderError>>;

/// What a venue lists, which comes with one answer and is kept until the program ends.
#[derive(Default)]
pub struct Listing {
    kept: RwLock<Option<Arc<[Instrument]>>>,
    /// Held by who asks, so that others wait for the same answer.
    asking: Mutex<()>,
}

impl Listing {
    /// What is known without asking.
    pub fn known(&self) -> Vec<Instrument> {
        self.kept.read().as_ref().map(|kept| kept.to_vec()).unwrap_or_default()
    }

    /// All of them; `ask` is awaited by the first caller alone. An answer that did not come is asked for again.
    pub async fn all(&self, ask: Asked<'_>) -> Result<Arc<[Instrument]>, ProviderError> {
        let _alone = self.asking.lock().await;
        if let Some(kept) = self.kept.read().as_ref() {
            return Ok(Arc::clone(kept));
        }
        let listed: Arc<[Instrument]> = ask.await?.into();
        *self.kept.write() = Some(Arc::clone(&listed));
        Ok(listed)
    }

    /// One of them.
    pub async fn describe(&self, site: &Site, id: &InstrumentId, ask: Asked<'_>) -> Result<Instrument, ProviderError> {
        let listed = self.all(ask).await?;
        let found = listed.iter().find(|instrument| instrument.id == *id);
        found.cloned().ok_or_else(|| site.refused(format!("there is no instrument {id}")))
    }

    /// Those whose symbol or name contains a text.
    pub async fn find(&self, text: &str, limit: usize, ask: Asked<'_>) -> Result<Vec<Instrument>, ProviderError> {
        let listed = self.all(ask).await?;
        Ok(listed.iter().filter(|instrument| matches(instrument, text)).take(limit).cloned().collect())
    }
}
