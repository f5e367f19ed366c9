//! Live topics. A subscription is a stream that is pulled: it does nothing while nobody takes from it, and what happened
//! meanwhile is merged into the next update. One that was left too far behind begins again with a snapshot.

mod chart;
mod enriched;
mod feed;
mod ledger;
mod market;
mod seconds;
mod status;
mod ticks;

use std::sync::Arc;

use async_trait::async_trait;
use cw_api::stream::{Topic, Update};
use cw_api::{ApiError, Caller};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};

use super::backtests::Backtests;
use super::market::Market;
use super::system::System;
use super::trading::Trading;
use crate::shared::Shared;
use feed::Feed;
pub(in crate::services) use seconds::Seconds;
pub(in crate::services) use ticks::Ticks;

/// What feeds read from.
#[derive(Clone)]
struct Sources {
    shared: Arc<Shared>,
    market: Arc<Market>,
    trading: Arc<Trading>,
    backtests: Arc<Backtests>,
    system: Arc<System>,
    caller: Caller,
}

pub(crate) struct Events {
    shared: Arc<Shared>,
    market: Arc<Market>,
    trading: Arc<Trading>,
    backtests: Arc<Backtests>,
    system: Arc<System>,
}

impl Events {
    pub fn new(
        shared: Arc<Shared>,
        market: Arc<Market>,
        trading: Arc<Trading>,
        backtests: Arc<Backtests>,
        system: Arc<System>,
    ) -> Self {
        Self { shared, market, trading, backtests, system }
    }

    fn sources(&self, caller: &Caller) -> Sources {
        Sources {
            shared: Arc::clone(&self.shared),
            market: Arc::clone(&self.market),
            trading: Arc::clone(&self.trading),
            backtests: Arc::clone(&self.backtests),
            system: Arc::clone(&self.system),
            caller: caller.clone(),
        }
    }

    /// Takes the snapshot, so that a topic that cannot be had is refused and not a stream that ends.
    async fn start<F: Feed>(&self, feed: F) -> Result<BoxStream<'static, Update>, ApiError> {
        Ok(self.until_stopped(feed::start(self.shared.bus.listen(), Arc::clone(&self.shared.counters), feed).await?))
    }

    fn until_stopped(&self, updates: impl Stream<Item = Update> + Send + 'static) -> BoxStream<'static, Update> {
        updates.take_until(self.shared.supervisor.token().clone().cancelled_owned()).boxed()
    }
}

#[async_trait]
impl cw_api::services::Events for Events {
    async fn subscribe(&self, caller: &Caller, topic: Topic) -> Result<BoxStream<'static, Update>, ApiError> {
        let sources = self.sources(caller);
        match topic {
            Topic::Quotes(params) => self.start(market::Quotes::new(sources, params)?).await,
            Topic::Chart(params) => self.start(chart::Chart::new(sources, params)?).await,
            Topic::Trades(params) => self.start(market::Trades::new(sources, params.instrument)?).await,
            Topic::Depth(params) => self.start(market::Depth::new(sources, params.instrument)?).await,
            Topic::Enriched(params) => self.start(enriched::Enriched::new(sources, params)).await,
            Topic::Orders(_) => self.start(ledger::Orders::new(sources)).await,
            Topic::Fills(_) => self.start(ledger::Fills::new(sources)).await,
            Topic::Positions(_) => self.start(ledger::Positions::new(sources)).await,
            Topic::Accounts(_) => self.start(ledger::Accounts::new(sources)).await,
            Topic::Decisions(_) => self.start(ledger::Decisions::new(sources)).await,
            Topic::Approvals(_) => self.start(ledger::Approvals::new(sources)).await,
            Topic::Jobs(_) => self.start(status::Jobs::new(sources)).await,
            Topic::Health(_) => self.start(status::HealthOf::new(sources)).await,
            Topic::Logs(_) => Ok(self.until_stopped(status::logs(sources))),
            Topic::Stats(_) => self.start(status::StatsOf::new(sources)).await,
        }
    }
}

#[cfg(test)]
mod tests;
