//! The list of instruments.

use std::time::Duration;

use cw_api::ApiError;
use cw_api::commands::market::{
    AddSymbol, FoundSymbol, FoundSymbols, InstrumentView, ListSymbols, RemoveSymbol, RemovedSymbol, SearchSymbols,
    SymbolList, UnavailableVenue,
};
use cw_core::{Instrument, InstrumentId};
use cw_market::{Provider, ProviderError};

use super::Market;
use crate::shared::storage;
use crate::venues;

/// How long a search waits for a venue.
const PATIENCE: Duration = Duration::from_secs(8);
/// What an instrument of a file shows its numbers with until somebody says otherwise.
const PRICE_DECIMALS: u8 = 2;
const QUANTITY_DECIMALS: u8 = 4;
/// Prices and quantities are kept with nine.
const MOST_DECIMALS: u8 = 9;

impl Market {
    pub(super) async fn symbols(&self, request: ListSymbols) -> Result<SymbolList, ApiError> {
        let (venue, query) = (request.venue.as_deref(), request.query.as_deref());
        let mut found = self.shared.store.instruments(venue, query).await.map_err(storage)?;
        // A directory that was only ever read has none of the simulated market's in its store.
        let wanted = query.unwrap_or_default().to_lowercase();
        let matches = |i: &Instrument| {
            venue.is_none_or(|venue| i.id.venue() == venue)
                && (i.id.as_str().to_lowercase().contains(&wanted) || i.name.to_lowercase().contains(&wanted))
        };
        let missing: Vec<Instrument> = self.shared.sim.instruments();
        let missing = missing.into_iter().filter(|i| matches(i) && found.iter().all(|f| f.id != i.id));
        found.extend(missing.collect::<Vec<_>>());
        Ok(SymbolList { instruments: found.iter().map(InstrumentView::from).collect() })
    }

    /// Known instruments and those on the lists of the venues that are switched on.
    pub(super) async fn found_symbols(&self, request: SearchSymbols) -> Result<FoundSymbols, ApiError> {
        let SearchSymbols { text, venue, online, limit } = request;
        let listed = self.symbols(ListSymbols { venue: venue.clone(), query: Some(text.clone()) }).await?.instruments;
        let mut found: Vec<FoundSymbol> = listed.into_iter().map(|i| self.found(i, true)).collect();
        let wanted = text.to_lowercase();
        let mut unavailable = Vec::new();
        let venues = self.shared.venues.all().iter().map(|venue| &venue.provider);
        let venues = venues.filter(|provider| venue.as_deref().is_none_or(|venue| venue == provider.venue()));
        let exactly = text.as_str();
        let asked = venues.map(|provider| async move {
            let named = if online { named(&**provider, exactly).await } else { Ok(None) };
            (provider, named)
        });
        for (provider, named) in futures_util::future::join_all(asked).await {
            let exact = named.unwrap_or_else(|reason| {
                unavailable.push(UnavailableVenue { venue: provider.venue().to_owned(), reason });
                None
            });
            let matches = |i: &Instrument| {
                i.id.as_str().to_lowercase().contains(&wanted) || i.name.to_lowercase().contains(&wanted)
            };
            for instrument in provider.instruments().into_iter().filter(matches).chain(exact) {
                if found.iter().all(|f| f.instrument != instrument.id) {
                    found.push(self.found(InstrumentView::from(&instrument), false));
                }
            }
        }
        found.sort_by_cached_key(|f| (rank(f, &wanted), !f.known, f.instrument.clone()));
        found.truncate(limit.unwrap_or(50).min(1_000) as usize);
        Ok(FoundSymbols { symbols: found, unavailable })
    }

    fn found(&self, instrument: InstrumentView, known: bool) -> FoundSymbol {
        let notice = self.venue_of(&instrument.id).map(|provider| provider.capabilities().notice);
        FoundSymbol {
            provider: self.provider_of(&instrument.id),
            name: instrument.name,
            asset_class: instrument.asset_class,
            quote_currency: instrument.quote_currency,
            known,
            live: self.shared.venues.is_followed(&instrument.id)
                || (self.shared.live && self.is_simulated(&instrument.id)),
            notice: notice.filter(|notice| !notice.is_empty()).map(str::to_owned),
            instrument: instrument.id,
        }
    }

    pub(super) async fn put_symbol(&self, request: AddSymbol) -> Result<InstrumentView, ApiError> {
        self.shared.writable()?;
        let id = &request.instrument;
        if self.is_simulated(id) {
            let message =
                format!("{} says itself what it trades; add instruments of files, as in BTCUSDT.FILE", id.venue());
            return Err(ApiError::invalid("instrument", message));
        }
        let venue = self.venue_of(id);
        if let Some(provider) = venue {
            self.introduce_remote(provider, id).await?;
        }
        let stored = self.shared.store.instrument(id).await.map_err(storage)?;
        let mut instrument =
            stored.unwrap_or_else(|| Instrument::from_file(id.clone(), PRICE_DECIMALS, QUANTITY_DECIMALS));
        apply(&mut instrument, request)?;
        self.shared.store.put_instruments(std::slice::from_ref(&instrument)).await.map_err(storage)?;
        if venue.is_some() {
            venues::set_followed(&self.shared, &instrument.id, true).await.map_err(storage)?;
        }
        Ok(InstrumentView::from(&instrument))
    }

    pub(super) async fn drop_symbol(&self, request: RemoveSymbol) -> Result<RemovedSymbol, ApiError> {
        self.shared.writable()?;
        let RemoveSymbol { instrument, delete_data } = request;
        if self.is_simulated(&instrument) {
            let message = format!("{instrument} belongs to its venue; only instruments of files can be removed");
            return Err(ApiError::conflict(message).with_field("instrument"));
        }
        if self.shared.venues.is_configured(&instrument) {
            let message = format!("{instrument} is named in the configuration; take it out there");
            return Err(ApiError::conflict(message).with_field("instrument"));
        }
        venues::set_followed(&self.shared, &instrument, false).await.map_err(storage)?;
        let removed = self.shared.store.remove_instrument(&instrument).await.map_err(storage)?;
        let deletes = delete_data && !self.stored_timeframes(&instrument).await?.is_empty();
        if !(removed || deletes) {
            return Err(ApiError::not_found(format!("instrument {instrument}")).with_field("instrument"));
        }
        let deleted_candles =
            if delete_data { self.shared.store.delete_market_data(&instrument).await.map_err(storage)? } else { 0 };
        Ok(RemovedSymbol { instrument, deleted_candles })
    }
}

/// What a venue has under exactly this name. One with a list has it at hand afterwards.
async fn named(provider: &dyn Provider, text: &str) -> Result<Option<Instrument>, String> {
    let Ok(id) = InstrumentId::new(&format!("{}.{}", text.trim().to_uppercase(), provider.venue())) else {
        return Ok(None);
    };
    match tokio::time::timeout(PATIENCE, provider.describe(&id)).await {
        Ok(Ok(instrument)) => Ok(Some(instrument)),
        Ok(Err(ProviderError::Refused { .. })) => Ok(None),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it did not answer in time".to_owned()),
    }
}

/// The symbol itself, then what begins with the text, then what has it inside, then what has it in its name.
fn rank(found: &FoundSymbol, wanted: &str) -> u8 {
    let symbol = found.instrument.symbol().to_lowercase();
    match () {
        () if symbol == wanted || found.instrument.as_str().to_lowercase() == wanted => 0,
        () if symbol.starts_with(wanted) => 1,
        () if symbol.contains(wanted) => 2,
        () => 3,
    }
}

/// Changes what the request names; the rest stays.
fn apply(instrument: &mut Instrument, request: AddSymbol) -> Result<(), ApiError> {
    fn set<T>(place: &mut T, value: Option<T>) {
        if let Some(value) = value {
            *place = value;
        }
    }
    for (field, decimals) in
        [("price_decimals", request.price_decimals), ("quantity_decimals", request.quantity_decimals)]
    {
        if decimals.is_some_and(|decimals| decimals > MOST_DECIMALS) {
            return Err(ApiError::invalid(field, format!("{field} must be from 0 to {MOST_DECIMALS}")));
        }
    }
    let negative = [
        ("tick_size", request.tick_size.is_some_and(cw_core::Price::is_negative)),
        ("quantity_step", request.quantity_step.is_some_and(cw_core::Quantity::is_negative)),
        ("min_quantity", request.min_quantity.is_some_and(cw_core::Quantity::is_negative)),
    ];
    if let Some((field, _)) = negative.into_iter().find(|(_, negative)| *negative) {
        return Err(ApiError::invalid(field, format!("{field} must not be negative")));
    }
    if request.initial_margin.is_some_and(|margin| !margin.is_positive()) {
        return Err(ApiError::invalid("initial_margin", "initial_margin must be greater than zero; 1 is fully paid"));
    }
    set(&mut instrument.name, request.name);
    set(&mut instrument.asset_class, request.asset_class);
    set(&mut instrument.base, request.base);
    set(&mut instrument.quote_currency, request.quote_currency);
    set(&mut instrument.tick_size, request.tick_size);
    set(&mut instrument.quantity_step, request.quantity_step);
    set(&mut instrument.min_quantity, request.min_quantity);
    set(&mut instrument.price_decimals, request.price_decimals);
    set(&mut instrument.quantity_decimals, request.quantity_decimals);
    set(&mut instrument.initial_margin, request.initial_margin);
    set(&mut instrument.taker_fee, request.taker_fee);
    set(&mut instrument.maker_fee, request.maker_fee);
    Ok(())
}
