package dev.hapax.consume.source;

/**
 * One partition of a topic.
 *
 * @param partition its number, from 0
 */
public record SourcePartition(String topic, int partition) implements Comparable<SourcePartition> {

    @Override
    public int compareTo(SourcePartition other) {
        int byTopic = topic.compareTo(other.topic);
        return byTopic == 0 ? Integer.compare(partition, other.partition) : byTopic;
    }

    @Override
    public String toString() {
        return topic + "/" + partition;
    }
}
