package dev.hapax.docs;

import java.math.BigDecimal;

/** What the examples are about. */
// tag::types[]
record Order(String id, String customer, BigDecimal total) {}
// end::types[]
