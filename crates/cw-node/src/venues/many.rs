//! Symbols by the hundred.

use cw_core::{Price, Quantity, SystemClock, Trade};

use super::*;

#[test]
fn five_hundred_symbols_come_and_go_and_leave_nothing() {
    let local = Some("http://127.0.0.1:1".to_owned());
    let aster = Settings { enabled: true, rest_url: local, ..Settings::default() };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let venues = Venues::new(&[("aster".to_owned(), aster)].into(), &BTreeMap::new(), &clock).unwrap();
    let code = venues.all()[0].provider.venue();
    let ids: Vec<InstrumentId> = (0..500).map(|n| format!("S{n}USDT.{code}").parse().unwrap()).collect();
    let mut seen = venues.all()[0].wanted.subscribe();
    for round in 0..20 {
        for id in &ids {
            assert!(venues.follow(id, true) && !venues.follow(id, true));
            let event_time = Timestamp::from_secs(1_700_000_000 + round);
            let (price, qty) = (Price::from_raw(5), Quantity::from_raw(1));
            let kind = MarketEventKind::Trade(Trade { event_time, price, qty, aggressor: None, trade_id: 0 });
            venues.event(&MarketEvent { instrument: id.clone(), received_at: event_time, kind }, true, event_time);
        }
        assert_eq!((seen.borrow_and_update().len(), venues.heard.lock().len()), (500, 500));
        assert!(venues.last_heard(&ids[499]).is_some() && venues.is_followed(&ids[0]));
        for id in &ids {
            assert!(venues.follow(id, false) && !venues.follow(id, false));
        }
        assert!(seen.borrow_and_update().is_empty() && venues.added().is_empty(), "the feed is told of both");
        assert!(venues.heard.lock().is_empty() && venues.last_heard(&ids[499]).is_none());
    }
}
