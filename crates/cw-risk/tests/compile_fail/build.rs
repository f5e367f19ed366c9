fn forge(order: cw_core::NewOrder) -> cw_risk::ApprovedOrder {
    cw_risk::ApprovedOrder(order)
}

fn main() {}
