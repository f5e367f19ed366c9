//! AsterDEX perpetual futures, venue code `ASTER`: `BTCUSDT.ASTER`.
//!
//! Every minute has a candle, also one in which nobody traded. Days and hours are UTC's. Public market data needs no key.

mod parse;
mod rest;
mod wire;
mod ws;

use std::sync::Arc;

use cw_core::{Adjustment, Candle, Instrument, InstrumentId, Timestamp};
use cw_market::{Capabilities, ProviderError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::OnceCell;

use crate::catalog::{self, Settings, SetupError};
use crate::net::{BaseUrl, Connection, Handles, Kind, Native, Plan, Site, Venue};

/// How AsterDEX is reached.
pub struct Aster {
    rest: BaseUrl,
    stream: BaseUrl,
    /// All of them come with one answer; kept until the program ends.
    listed: OnceCell<Vec<Instrument>>,
}

/// A provider with these settings.
pub fn connect(settings: &Settings, handles: Handles) -> Result<Venue<Aster>, SetupError> {
    settings.only(Adjustment::Raw)?;
    let kind = Aster {
        rest: settings.rest("https://fapi.asterdex.com")?,
        stream: settings.stream("wss://fstream.asterdex.com")?,
        listed: OnceCell::new(),
    };
    Ok(Venue { site: Arc::new(Site::new("ASTER", settings.manner(rest::MANNER), handles)), kind })
}

impl Kind for Aster {
    fn capabilities(&self) -> &'static Capabilities {
        &catalog::ASTER
    }

    fn natives(&self, _: &InstrumentId) -> &'static [Native] {
        rest::NATIVES
    }

    fn page_size(&self) -> usize {
        rest::PAGE
    }

    fn page<'a>(
        &'a self,
        site: &'a Site,
        id: &'a InstrumentId,
        plan: &'a Plan,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Candle>, ProviderError>> {
        self.klines(site, id, plan, from, to).boxed()
    }

    fn instruments(&self) -> Vec<Instrument> {
        self.listed.get().cloned().unwrap_or_default()
    }

    fn describe<'a>(
        &'a self,
        site: &'a Site,
        id: &'a InstrumentId,
    ) -> BoxFuture<'a, Result<Instrument, ProviderError>> {
        async move {
            let listed = self.listed.get_or_try_init(|| self.exchange_info(site)).await?;
            let found = listed.iter().find(|instrument| instrument.id == *id);
            found.cloned().ok_or_else(|| site.refused(format!("there is no instrument {id}")))
        }
        .boxed()
    }

    fn connections(&self, site: &Arc<Site>, instruments: &[InstrumentId]) -> Result<Vec<Connection>, ProviderError> {
        Ok(ws::connections(&self.stream, site, instruments))
    }
}

#[cfg(test)]
mod tests;
