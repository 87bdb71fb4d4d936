/** Operators' commands on a real database. */
package dev.hapax.server.command;
