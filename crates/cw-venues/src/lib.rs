//! The venues, one folder each. A venue's raw types never leave its folder; what comes out speaks the words of
//! `cw-core` and the [`cw_market::Provider`] trait.
//!
//! | venue | code | gives |
//! |---|---|---|
//! | [`sim`] | `SIM` | a simulated market: 25 instruments, any history, a live stream with a clock of its own |

pub mod net;
pub mod sim;
