package dev.hapax.docs;

/** The answer that a repeat gets as well. */
// tag::types[]
record Receipt(String order) {}
// end::types[]
