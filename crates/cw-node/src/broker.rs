//! The simulated venue's order side: one task per paper account, between the engine's effects and the market.

use std::sync::Arc;

use cw_core::{Clock, InstrumentId, Quantity, Quote, Trade};
use cw_engine::Effect;
use cw_engine::runtime::EngineHandle;
use cw_execution::{PaperBroker, VenueReport};
use tokio::sync::mpsc;

use crate::shared::Directory;

/// One market event for a broker, by instrument number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MarketTick {
    Quote(u32, Quote),
    Trade(u32, Trade),
}

/// Instructions that may wait for a broker. Market events wait in a queue of their own.
pub(crate) const EFFECTS: usize = 8_192;
pub(crate) const TICKS: usize = 8_192;

pub(crate) struct PaperVenue {
    pub account: u32,
    pub broker: PaperBroker,
    pub directory: Arc<Directory>,
    pub engine: EngineHandle,
    pub clock: Arc<dyn Clock>,
}

impl PaperVenue {
    /// Serves until both queues have ended. Instructions come before market data.
    pub async fn run(mut self, mut effects: mpsc::Receiver<Effect>, mut ticks: mpsc::Receiver<MarketTick>) {
        let mut reports = Vec::new();
        loop {
            tokio::select! {
                biased;
                effect = effects.recv() => match effect {
                    Some(effect) => self.take(effect, &mut reports),
                    None => return,
                },
                tick = ticks.recv() => match tick {
                    Some(tick) => self.tick(tick, &mut reports),
                    // The feed has ended; cancels must still be answered.
                    None => match effects.recv().await {
                        Some(effect) => self.take(effect, &mut reports),
                        None => return,
                    },
                },
            }
            for report in reports.drain(..) {
                if self.engine.report(self.account, report).await.is_err() {
                    return;
                }
            }
        }
    }

    fn take(&mut self, effect: Effect, reports: &mut Vec<VenueReport>) {
        match effect {
            Effect::Submit { order, .. } => {
                let request = order.order();
                let id = request.client_order_id.clone();
                let reduces = request.reduce_only;
                let Some(instrument) = self.find(&request.instrument) else {
                    let reason = "the venue does not trade this instrument".to_owned();
                    return reports.push(VenueReport::Rejected { client_order_id: id, reason });
                };
                // The last look before the wire: whatever was decided meanwhile, a halt stops new risk here.
                if self.engine.is_halted() && !reduces {
                    let reason = "held back: trading was halted before it was sent".to_owned();
                    return reports.push(VenueReport::Rejected { client_order_id: id, reason });
                }
                self.broker.submit(order, &instrument, self.clock.now(), reports);
            }
            Effect::Cancel { client_order_id, .. } => self.broker.cancel(&client_order_id, reports),
            Effect::Amend { client_order_id, qty, .. } => self.amend(&client_order_id, qty, reports),
        }
    }

    fn amend(&mut self, id: &cw_core::ClientOrderId, qty: Quantity, reports: &mut Vec<VenueReport>) {
        self.broker.amend_quantity(id, qty, reports);
    }

    fn find(&self, id: &InstrumentId) -> Option<Arc<cw_core::Instrument>> {
        self.directory.number(id).and_then(|n| self.directory.instrument(n))
    }

    fn tick(&mut self, tick: MarketTick, reports: &mut Vec<VenueReport>) {
        let now = self.clock.now();
        let directory = Arc::clone(&self.directory);
        match tick {
            MarketTick::Quote(number, quote) => {
                if let Some(instrument) = directory.instrument(number) {
                    self.broker.on_quote(&instrument.id, &quote, now, reports);
                }
            }
            MarketTick::Trade(number, trade) => {
                if let Some(instrument) = directory.instrument(number) {
                    self.broker.on_trade(&instrument.id, &trade, now, reports);
                }
            }
        }
    }
}
