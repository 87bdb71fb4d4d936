package dev.hapax.internal.consume;

import dev.hapax.log.Message;

/** A message that a relay had set aside, and that is to be tried again. */
public final class HeldMessage {

    final HeldStore.Due due;

    HeldMessage(HeldStore.Due due) {
        this.due = due;
    }

    public Message message() {
        return due.message();
    }
}
