//! The simulated venues alone, for whoever wants to see the real protocols without an account.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cw_api::ApiError;
use cw_core::{Clock, SystemClock};
use cw_simex::{Dialect, Exchange, Market, Server};
use serde_json::{Map, Value, json};

use crate::options::Globals;
use crate::own::SimOptions;
use crate::run::wait_for_signal;
use crate::{Failure, output};

/// The source of news, as the configuration and the control port name it.
const NEWS: &str = "brave";
/// How often the venues look at the time.
const STEP: Duration = Duration::from_millis(50);

pub async fn run(globals: &Globals, options: SimOptions) -> Result<(), Failure> {
    let signals = wait_for_signal()?;
    let seed = options.seed.unwrap_or(1);
    let market = Market::seeded(seed);
    let now = SystemClock.now();
    // Each has an exchange of its own over the same market, so that what goes wrong at one leaves the others alone.
    let names = Dialect::ALL.into_iter().map(Dialect::name).chain([NEWS]);
    let exchanges: Vec<(&str, Arc<Exchange>)> = names.map(|name| (name, Exchange::new(market.clone(), now))).collect();
    for (_, exchange) in &exchanges {
        exchange.give_full_pages();
    }
    let port = |number: u16| options.port.map_or(0, |first| first.saturating_add(number));
    let control = Server::control_of(&exchanges, port(0)).await.map_err(|error| taken(port(0), &error))?;
    let mut servers = Vec::new();
    for ((dialect, (_, exchange)), number) in Dialect::ALL.into_iter().zip(&exchanges).zip(1..) {
        let server = Server::start_at(dialect, exchange, port(number)).await;
        servers.push((dialect, server.map_err(|error| taken(port(number), &error))?));
    }
    let last = port(Dialect::ALL.len() as u16 + 1);
    let (_, exchange) = &exchanges[Dialect::ALL.len()];
    let news = Server::news_at(exchange, last).await.map_err(|error| taken(last, &error))?;
    let config = config(&servers, &news);
    if let Some(file) = &options.write_config {
        std::fs::write(file, &config)
            .map_err(|error| ApiError::invalid("write_config", format!("{}: {error}", Path::new(file).display())))?;
    }
    let venue = |(dialect, server): &(Dialect, Server)| {
        let urls = json!({ "rest_url": server.rest_url(), "stream_url": server.stream_url() });
        (dialect.name().to_owned(), urls)
    };
    let ready = json!({
        "event": "ready",
        "seed": seed,
        "control": control.rest_url(),
        "venues": servers.iter().map(venue).collect::<Map<String, Value>>(),
        "news": { NEWS: { "base_url": news.rest_url() } },
        "pid": std::process::id(),
    });
    output::text(&ready.to_string())?;
    output::note(
        globals,
        "# Five simulated venues and a source of news run. Put this into a file and start an engine with it:",
    );
    output::note(globals, "# candlewick run --config FILE. Ctrl-C stops them.\n");
    output::note(globals, &config);

    tokio::pin!(signals);
    let mut step = tokio::time::interval(STEP);
    // After a pause of the machine the market goes on at once where it has to be.
    step.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            biased;
            () = &mut signals => return Ok(()),
            _ = step.tick() => {
                let now = SystemClock.now();
                for (_, exchange) in &exchanges {
                    exchange.advance_to(now);
                }
            }
        }
    }
}

fn taken(port: u16, error: &std::io::Error) -> Failure {
    ApiError::unavailable(format!("port {port} of this machine: {error}")).with_field("port").into()
}

/// A configuration that connects an engine to them.
fn config(servers: &[(Dialect, Server)], news: &Server) -> String {
    let mut text = format!("[news.{NEWS}]\nkey = \"simulated\"\nbase_url = \"{}\"\n\n", news.rest_url());
    for (dialect, server) in servers {
        let symbols: Vec<String> = dialect.symbols().iter().map(|symbol| format!("\"{symbol}\"")).collect();
        let keys = match dialect {
            Dialect::Alpaca => "key = \"simulated\"\nsecret = \"simulated\"\n",
            Dialect::Oanda => "key = \"simulated\"\naccount = \"101-001-0000001-001\"\n",
            Dialect::Polygon => "key = \"simulated\"\n",
            Dialect::Yahoo => &format!("cookie_url = \"{}\"\n", server.rest_url()),
            Dialect::Aster => "",
        };
        let stream = match dialect {
            // Yahoo has none, and OANDA's is an address of its own.
            Dialect::Yahoo => String::new(),
            Dialect::Oanda => format!("stream_url = \"{}/v3\"\n", server.rest_url()),
            _ => format!("stream_url = \"{}\"\n", server.stream_url()),
        };
        let path = if *dialect == Dialect::Oanda { "/v3" } else { "" };
        let (name, rest, symbols) = (dialect.name(), server.rest_url() + path, symbols.join(", "));
        write!(text, "[venues.{name}]\nenabled = true\nrest_url = \"{rest}\"\n{stream}{keys}symbols = [{symbols}]\n\n")
            .expect("writing to a String cannot fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_printed_configuration_is_one_that_an_engine_takes() {
        let mut servers = Vec::new();
        for dialect in Dialect::ALL {
            let exchange = Exchange::new(Market::seeded(1), SystemClock.now());
            servers.push((dialect, Server::start(dialect, &exchange).await.unwrap()));
        }
        let news = Server::news(&Exchange::new(Market::seeded(1), SystemClock.now())).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("sim.toml");
        std::fs::write(&file, config(&servers, &news)).unwrap();
        let settings = cw_node::Settings::load(Some(&file), std::iter::empty()).unwrap();
        assert_eq!(settings.venues.len(), 5);
        assert_eq!(settings.news.brave.base_url, Some(news.rest_url()));
        assert!(settings.venues.values().all(|venue| venue.enabled && venue.symbols.len() == 3));
        assert!(settings.venues["yahoo"].cookie_url.is_some(), "nobody outside is asked for anything");
    }
}
