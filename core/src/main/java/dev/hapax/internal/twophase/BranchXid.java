package dev.hapax.internal.twophase;

import dev.hapax.internal.SystemSource;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;
import javax.transaction.xa.Xid;
import org.jspecify.annotations.Nullable;

/**
 * The name of a branch. All that recovery needs to decide it is in there, because a resource keeps nothing else: whose it is, which try of which operation, and the day on which the decision
 * is written.
 *
 * @param home the home's id
 * @param token names one try; its decision is written under it
 * @param day the day of the decision's partition, in days since 1970
 * @param scope the number of the operation's scope
 * @param producer the number of its producer
 * @param keyDay the day of the key's marker, {@link Integer#MIN_VALUE} for a timeless key
 * @param keyHash the first 8 bytes of SHA-256 over the key's id, for people who look for an operation
 * @param participant the branch
 */
record BranchXid(UUID home, UUID token, int day, int scope, int producer, int keyDay, long keyHash, String participant)
        implements Xid {

    /** "HAPX" */
    static final int FORMAT = 0x48415058;

    private static final byte VERSION = 1;
    private static final int LENGTH = 1 + 16 + 16 + 4 + 4 + 4 + 4 + 8;

    static {
        if (LENGTH > MAXGTRIDSIZE) {
            throw new AssertionError("a global transaction id has no room for " + LENGTH + " bytes");
        }
    }

    static long hash(String id) {
        return ByteBuffer.wrap(SystemSource.sha256().digest(id.getBytes(StandardCharsets.UTF_8)))
                .getLong();
    }

    BranchXid in(String other) {
        return new BranchXid(home, token, day, scope, producer, keyDay, keyHash, other);
    }

    /** Reads the name of a branch; null if it is not one of this home's. Resources hold other people's transactions too. */
    static @Nullable BranchXid of(Xid xid, UUID home) {
        byte[] global = xid.getGlobalTransactionId();
        if (xid.getFormatId() != FORMAT || global.length != LENGTH || global[0] != VERSION) {
            return null;
        }
        ByteBuffer in = ByteBuffer.wrap(global, 1, LENGTH - 1);
        UUID whose = new UUID(in.getLong(), in.getLong());
        if (!whose.equals(home)) {
            return null;
        }
        return new BranchXid(
                whose,
                new UUID(in.getLong(), in.getLong()),
                in.getInt(),
                in.getInt(),
                in.getInt(),
                in.getInt(),
                in.getLong(),
                new String(xid.getBranchQualifier(), StandardCharsets.US_ASCII));
    }

    @Override
    public String toString() {
        return token + " in " + participant;
    }

    @Override
    public int getFormatId() {
        return FORMAT;
    }

    @Override
    public byte[] getGlobalTransactionId() {
        ByteBuffer out = ByteBuffer.allocate(LENGTH).put(VERSION);
        for (UUID id : Arrays.asList(home, token)) {
            out.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
        }
        return out.putInt(day)
                .putInt(scope)
                .putInt(producer)
                .putInt(keyDay)
                .putLong(keyHash)
                .array();
    }

    @Override
    public byte[] getBranchQualifier() {
        return participant.getBytes(StandardCharsets.US_ASCII);
    }
}
