// Package zevent reads the events that OpenZFS posts, without libzfs.
//
// Terms:
//
//   - An event (zevent) is an nvlist that the module posts when a pool or a
//     vdev changes or fails. Its class names the kind: ereport.fs.zfs.* for
//     errors, resource.fs.zfs.* for state, sysevent.fs.zfs.* for actions.
//   - The EID numbers events from 1 since the module was loaded. It is taken
//     before the event enters the queue, so concurrent posts may be queued in
//     another order. What identifies an event is its EID and time together.
//   - The queue holds the newest events, 512 unless the parameter
//     zfs_zevent_len_max says otherwise. It is one for the whole machine.
//   - A cursor is a reader's place: the event that it was given last. Each
//     open of /dev/zfs has its own.
//   - Dropped is what the kernel reports with an event: 1 when the event under
//     the cursor was evicted or cleared, plus events held back by rate limits.
//     It is not the number of events lost; gaps in the EIDs tell that.
//
// A [Device] is one open descriptor, of the kernel ([Open]) or of an emulator.
// A [Client] gives decoded events from a Device, waits for them, and follows
// the [Gaps] in their EIDs. [Event.Payload] has the pairs of an event in their
// types. A refusal by the system or the module is a [*DeviceError]. [ReadModule]
// tells the loaded module's version and parameters. A [RecordingReader] gives
// events from a recording, which a [RecordingWriter] writes. A [View] is an
// event read in place, for a reader of millions; [RecordingPart]s share one
// recording among goroutines. A [Filter] chooses
// among them. A [TextFormat] prints events as zpool does, a [JSONFormat] for
// programs.
//
// The text is that of `zpool events` byte for byte. OpenZFS 0.8 to 2.2 print
// numbers as numbers. 2.3 added the names of the bits in zio_stage,
// zio_pipeline and zio_flags and of zio_priority, 2.4 that of zio_type; some
// bits moved since, so that [Names] are those of one release.
package zevent
