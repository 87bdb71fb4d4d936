package dev.hapax.kafka;

import dev.hapax.internal.consume.LaneMark;
import dev.hapax.log.Message;
import java.util.List;
import java.util.UUID;

/** Passes on to the real output; what a mutant changes is overridden. */
class WrappedOutput implements Output {

    final Output real;

    WrappedOutput(Output real) {
        this.real = real;
    }

    @Override
    public Result publish(List<Message> messages, List<LaneMark> marks, List<UUID> settled, Runnable meanwhile) {
        return real.publish(messages, marks, settled, meanwhile);
    }

    @Override
    public Result publishHeld(Message message, List<LaneMark> marks) {
        return real.publishHeld(message, marks);
    }

    @Override
    public boolean isUsedUpByRefusals() {
        return true;
    }

    @Override
    public void close() {
        real.close();
    }
}
