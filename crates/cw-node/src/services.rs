//! The services behind the commands.

pub(crate) mod analysis;
mod audit;
mod backtests;
mod events;
mod feeds;
mod jobs;
mod journal;
pub(crate) mod market;
mod news;
mod system;
mod trading;

use std::sync::Arc;

use cw_api::Services;

use crate::shared::Shared;

/// Fills in everything that a command may use.
pub(crate) fn build(shared: &Arc<Shared>, news: crate::config::NewsSources) -> Arc<Services> {
    let follows = news.follow;
    let news = Arc::new(news::News::new(Arc::clone(shared), news.providers, news.fresh));
    if follows {
        for provider in news.providers() {
            shared.supervisor.spawn_until_stopped("news", Arc::clone(&news).follow(Arc::clone(provider)));
        }
    }
    let jobs = Arc::new(jobs::Jobs::new(Arc::clone(shared)));
    let market = market::Market::new(Arc::clone(shared), Arc::clone(&jobs));
    let trading = Arc::new(trading::Trading::new(Arc::clone(shared)));
    let analysis = Arc::new(analysis::Analysis::new(Arc::clone(shared), Arc::clone(&market)));
    let backtests = Arc::new(backtests::Backtests::new(Arc::clone(shared), Arc::clone(&market), jobs));
    let system = Arc::new(system::System::new(Arc::clone(shared)));
    let events = events::Events::new(
        Arc::clone(shared),
        Arc::clone(&market),
        Arc::clone(&trading),
        Arc::clone(&backtests),
        Arc::clone(&system),
    );
    Arc::new(Services {
        events: Arc::new(events),
        journal: Arc::new(journal::JournalService::new(Arc::clone(shared))),
        audit: Arc::new(audit::Audit::new(Arc::clone(shared))),
        clock: Arc::clone(&shared.clock),
        feeds: Arc::new(feeds::FeedService::new(Arc::clone(shared), Arc::clone(&market))),
        trading,
        market,
        analysis,
        news,
        backtests,
        system,
    })
}
