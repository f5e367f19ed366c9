//! OANDA v20, venue code `OANDA`: currencies and CFDs, `EUR_USD.OANDA`.
//!
//! Candles are of bid, ask or their middle, as `feed` says, and never mixed. Days begin at midnight UTC, not at OANDA's
//! 17:00 in New York: the venue is asked for them so. Volume counts price updates.

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
use crate::net::{BaseUrl, Connection, Handles, Kind, Native, Plan, Secret, Site, Venue};

/// How OANDA is reached.
pub struct Oanda {
    rest: BaseUrl,
    stream: BaseUrl,
    token: Arc<Secret>,
    account: String,
    price: Side,
    /// All of an account's instruments come with one answer; kept until the program ends.
    listed: OnceCell<Vec<Instrument>>,
}

/// Which price candles are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Mid,
    Bid,
    Ask,
}

impl Side {
    const fn letter(self) -> &'static str {
        match self {
            Self::Mid => "M",
            Self::Bid => "B",
            Self::Ask => "A",
        }
    }
}

/// A provider with these settings. Practice accounts set both addresses.
pub fn connect(settings: &Settings, handles: Handles) -> Result<Venue<Oanda>, SetupError> {
    let price = match settings.feed.as_deref() {
        None | Some("mid") => Side::Mid,
        Some("bid") => Side::Bid,
        Some("ask") => Side::Ask,
        Some(other) => return Err(SetupError::value("feed", other, "mid, bid or ask")),
    };
    settings.only(Adjustment::Raw)?;
    let account = settings.account.clone().ok_or(SetupError::Missing("account"))?;
    if account.is_empty() || !account.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return Err(SetupError::value("account", &account, "digits and dashes, as 101-004-1234567-001"));
    }
    let kind = Oanda {
        rest: settings.rest("https://api-fxpractice.oanda.com/v3")?,
        stream: BaseUrl::http(settings.stream_url.as_deref().unwrap_or("https://stream-fxpractice.oanda.com/v3"))?,
        token: Arc::new(Secret::new(settings.key.clone().ok_or(SetupError::Missing("key"))?)),
        account,
        price,
        listed: OnceCell::new(),
    };
    Ok(Venue { site: Arc::new(Site::new("OANDA", settings.manner(rest::MANNER), handles)), kind })
}

impl Kind for Oanda {
    fn capabilities(&self) -> &'static Capabilities {
        &catalog::OANDA
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
        self.candles(site, id, plan, from, to).boxed()
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
            let listed = self.listed.get_or_try_init(|| self.account_instruments(site)).await?;
            let found = listed.iter().find(|instrument| instrument.id == *id);
            found.cloned().ok_or_else(|| site.refused(format!("there is no instrument {id}")))
        }
        .boxed()
    }

    fn source(&self, site: &Site, _: &InstrumentId) -> String {
        format!("{}:{}", site.code, self.price.letter())
    }

    fn connections(&self, site: &Arc<Site>, instruments: &[InstrumentId]) -> Result<Vec<Connection>, ProviderError> {
        Ok(ws::connections(self, site, instruments))
    }
}

#[cfg(test)]
mod tests;
