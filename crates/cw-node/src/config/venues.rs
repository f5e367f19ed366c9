//! Venues in the configuration: their keys, and who stands in for whom.

use cw_core::InstrumentId;
use cw_venues::catalog;

use super::Settings;

impl Settings {
    /// `ALPACA_KEY`: keys belong into the environment rather than into a file.
    pub(super) fn set_venue(&mut self, key: &str, value: &str) -> Result<(), String> {
        let (name, field) = key.split_once('_').ok_or("name a venue and a field: VENUES_ALPACA_KEY")?;
        let venue = self.venues.entry(name.to_lowercase()).or_default();
        let text = Some(value.to_owned());
        match field {
            "ENABLED" => venue.enabled = value.parse().map_err(|_| format!("\"{value}\" does not fit"))?,
            "REST_URL" => venue.rest_url = text,
            "STREAM_URL" => venue.stream_url = text,
            "COOKIE_URL" => venue.cookie_url = text,
            "KEY" => venue.key = text,
            "SECRET" => venue.secret = text,
            "ACCOUNT" => venue.account = text,
            "FEED" => venue.feed = text,
            _ => return Err(format!("there is no field {field}")),
        }
        Ok(())
    }

    /// Puts the environment's values in place of `env:NAME`. A key itself stands in a file only for servers on this
    /// machine, which have nothing to protect.
    pub(super) fn name_secrets(&mut self, environment: &[(String, String)]) -> Result<(), String> {
        for (venue, settings) in &mut self.venues {
            let urls = [&settings.rest_url, &settings.stream_url];
            let local = settings.rest_url.is_some() && urls.into_iter().flatten().all(|url| is_local(url));
            for (field, secret) in [("key", &mut settings.key), ("secret", &mut settings.secret)] {
                let Some(text) = secret else { continue };
                if let Some(name) = text.strip_prefix("env:") {
                    let value = environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
                    let missing = || format!("venues.{venue}.{field}: there is no environment variable {name}");
                    *text = value.ok_or_else(missing)?;
                } else if !local {
                    return Err(format!(
                        "venues.{venue}.{field}: a key does not belong into a file; write \"env:NAME\" and set that variable"
                    ));
                }
            }
        }
        Ok(())
    }

    pub(super) fn check_priority(&self) -> Result<(), String> {
        for (instrument, chain) in &self.data.priority {
            let id: InstrumentId = instrument.parse().map_err(|error| format!("data.priority: {error}"))?;
            if chain.is_empty() {
                return Err(format!("data.priority.\"{instrument}\" names nobody"));
            }
            for link in chain {
                link_of(&id, link).map_err(|error| format!("data.priority.\"{instrument}\": {error}"))?;
            }
        }
        Ok(())
    }
}

/// What a link of a priority means: a venue's name or code stands for the same symbol there.
pub(crate) fn link_of(id: &InstrumentId, link: &str) -> Result<InstrumentId, String> {
    if let Some(entry) = catalog::find(link) {
        return InstrumentId::new(&format!("{}.{}", id.symbol(), entry.code)).map_err(|error| error.to_string());
    }
    let named: InstrumentId = link.parse().map_err(|_| crate::venues::unknown(link))?;
    catalog::find(named.venue()).map(|_| named).ok_or_else(|| crate::venues::unknown(link))
}

fn is_local(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        return false;
    }
    let name = if host.starts_with('[') { host.split(']').next() } else { host.split(':').next() };
    matches!(name, Some("127.0.0.1" | "localhost" | "[::1"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn load(text: &str, environment: &[(&str, &str)]) -> Result<Settings, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("candlewick.toml");
        std::fs::write(&path, text).unwrap();
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Settings::load(Some(Path::new(&path)), environment).map_err(|e| e.to_string())
    }

    #[test]
    fn venues_are_off_until_they_are_switched_on_and_their_keys_come_from_outside() {
        let text = "[venues.alpaca]\nenabled = true\nfeed = \"iex\"\nsymbols = [\"AAPL\", \"BTC/USD\"]\n";
        let environment = [("CANDLEWICK_VENUES_ALPACA_KEY", "id"), ("CANDLEWICK_VENUES_ALPACA_SECRET", "hush")];
        let settings = load(text, &environment).unwrap();
        let alpaca = &settings.venues["alpaca"];
        assert!(alpaca.enabled && alpaca.symbols.len() == 2 && alpaca.secret.as_deref() == Some("hush"));
        assert!(!format!("{settings:?}").contains("hush"));
        assert!(load("[venues.nasdaq]\nenabled = true\n", &[]).unwrap_err().contains("there are alpaca"));
        assert!(load("[venues.alpaca]\nurl = \"x\"\n", &[]).unwrap_err().contains("url"));
        assert!(load("", &[("CANDLEWICK_VENUES_ALPACA_X", "y")]).unwrap_err().contains('X'));
    }

    #[test]
    fn keys_are_named_in_a_file_and_not_written() {
        let named = "[venues.polygon]\nenabled = true\nkey = \"env:POLY\"\n";
        let settings = load(named, &[("POLY", "hush")]).unwrap();
        assert_eq!(settings.venues["polygon"].key.as_deref(), Some("hush"));
        assert!(load(named, &[]).unwrap_err().contains("POLY"));
        let written = "[venues.polygon]\nkey = \"hush\"\n";
        let error = load(written, &[]).unwrap_err();
        assert!(error.contains("env:NAME") && !error.contains("hush"), "{error}");
        for url in ["http://127.0.0.1:9", "http://localhost:9/x", "http://[::1]:9"] {
            load(&format!("{written}rest_url = \"{url}\"\n"), &[]).unwrap();
        }
        for url in ["https://127.0.0.1.example.org", "https://127.0.0.1@example.org", "https://api.polygon.io"] {
            load(&format!("{written}rest_url = \"{url}\"\n"), &[]).unwrap_err();
        }
    }

    #[test]
    fn a_priority_names_venues_or_instruments() {
        let text = "[data.priority]\n\"BTC/USD.ALPACA\" = [\"alpaca\", \"X:BTCUSD.POLYGON\", \"YAHOO\"]\n";
        let settings = load(text, &[]).unwrap();
        let id: InstrumentId = "BTC/USD.ALPACA".parse().unwrap();
        let chain: Vec<String> =
            settings.data.priority[id.as_str()].iter().map(|link| link_of(&id, link).unwrap().to_string()).collect();
        assert_eq!(chain, ["BTC/USD.ALPACA", "X:BTCUSD.POLYGON", "BTC/USD.YAHOO"]);
        assert!(load("[data.priority]\n\"A.ALPACA\" = [\"nasdaq\"]\n", &[]).unwrap_err().contains("nasdaq"));
        assert!(load("[data.priority]\n\"A.ALPACA\" = []\n", &[]).unwrap_err().contains("nobody"));
    }
}
