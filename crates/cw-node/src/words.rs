//! Orders in words, for buttons, approvals and explanations.

use std::fmt::Write as _;

use cw_core::{NewOrder, OrderType, Side};
use cw_engine::OrderRequest;

/// "Buy 0.4 BTC-PERP.SIM at limit 68350, take profit 69888, stop loss 67632".
pub(crate) fn request(order: &OrderRequest) -> String {
    let mut text = match order.side {
        Side::Buy => format!("Buy {} {}", order.qty, order.instrument),
        Side::Sell => format!("Sell {} {}", order.qty, order.instrument),
    };
    match (order.order_type, order.limit_price, order.stop_price, order.trail_offset) {
        (OrderType::Limit, Some(price), ..) => put(&mut text, format_args!(" at limit {price}")),
        (OrderType::Stop, _, Some(stop), _) => put(&mut text, format_args!(" when the price reaches {stop}")),
        (OrderType::StopLimit, Some(price), Some(stop), _) => {
            put(&mut text, format_args!(" at limit {price} when the price reaches {stop}"));
        }
        (OrderType::TrailingStop, .., Some(trail)) => put(&mut text, format_args!(" with a stop trailing by {trail}")),
        _ => put(&mut text, format_args!(" at market")),
    }
    if let Some(price) = order.take_profit {
        put(&mut text, format_args!(", take profit {price}"));
    }
    if let Some(price) = order.stop_loss {
        put(&mut text, format_args!(", stop loss {price}"));
    }
    if order.reduce_only {
        text.push_str(", reduce only");
    }
    text
}

/// The same for an order that has a name already.
pub(crate) fn order(order: &NewOrder) -> String {
    request(&OrderRequest {
        account: order.account.clone(),
        instrument: order.instrument.clone(),
        side: order.side,
        order_type: order.order_type,
        qty: order.qty,
        limit_price: order.limit_price,
        stop_price: order.stop_price,
        trail_offset: order.trail_offset,
        time_in_force: order.time_in_force,
        expire_time: order.expire_time,
        reduce_only: order.reduce_only,
        post_only: order.post_only,
        take_profit: order.take_profit,
        stop_loss: order.stop_loss,
        client_order_id: None,
    })
}

fn put(text: &mut String, more: std::fmt::Arguments<'_>) {
    text.write_fmt(more).expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_a_sentence() {
        let mut order = OrderRequest::market(
            cw_core::AccountId::new("paper").unwrap(),
            "BTC-PERP.SIM".parse().unwrap(),
            Side::Buy,
            "0.4".parse().unwrap(),
        );
        assert_eq!(request(&order), "Buy 0.4 BTC-PERP.SIM at market");
        order.order_type = OrderType::Limit;
        order.limit_price = Some("68350".parse().unwrap());
        order.take_profit = Some("69888".parse().unwrap());
        order.stop_loss = Some("67632".parse().unwrap());
        assert_eq!(request(&order), "Buy 0.4 BTC-PERP.SIM at limit 68350, take profit 69888, stop loss 67632");
    }
}
