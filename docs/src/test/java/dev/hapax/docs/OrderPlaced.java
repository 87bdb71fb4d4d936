package dev.hapax.docs;

import java.math.BigDecimal;

/** The message. */
// tag::types[]
record OrderPlaced(String order, String customer, BigDecimal total) {

    static OrderPlaced of(Order order) {
        return new OrderPlaced(order.id(), order.customer(), order.total());
    }
}
// end::types[]
