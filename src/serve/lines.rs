//! Lines for an output that may be full, closed or never read.
//!
//! One thread writes them, as many together as have come. Whoever has a line hands it over and goes on;
//! if too much waits already, the line is dropped. Dropped lines are counted, and a notice says how many,
//! once the output takes something again and has caught up.

use std::fs::File;
use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::event::DroppedLines;

/// The most bytes that wait.
const MAX_WAITING: usize = 1 << 20;

/// The most bytes that are written together, unless one line is longer: a pipe takes so many as one, and
/// what another program writes there does not come between (POSIX `PIPE_BUF`, as Linux has it).
const TOGETHER: usize = 4096;

/// How long the thread lets lines gather after it has written some. Otherwise each line of a busy server
/// would wake it.
const PAUSE: Duration = Duration::from_millis(1);

/// The most bytes of memory that are kept for the lines of the next batch, where one had more.
const MAX_ROOM: usize = 64 * 1024;

/// The most time that the end waits for the lines before it.
const MAX_FLUSH: Duration = Duration::from_secs(2);

/// The lines that wait for an output.
#[derive(Clone)]
pub(super) struct Lines(Arc<End>);

/// Its drop ends the thread, once it has written what waits.
struct End(Arc<Shared>);

/// The thread. However it ends, what comes later is dropped and counted.
struct Thread(Arc<Shared>);

struct Shared {
    dropped: DroppedLines,
    /// Calls the thread.
    handed: Condvar,
    waiting: Mutex<Waiting>,
    /// Calls those who wait until their lines are written.
    written: Condvar,
}

/// What waits, and what the thread does.
#[derive(Default)]
struct Waiting {
    /// How many batches the thread has taken, and how many of them it has written.
    batches: (u64, u64),
    ended: bool,
    /// Whether the thread has ended, so that nobody writes any more.
    gone: bool,
    /// Whether somebody waits until the lines are written.
    hurried: bool,
    lines: Batch,
    /// Whether the thread has nothing to do, and must be called.
    resting: bool,
    /// The bytes of the batch that is being written.
    taken: usize,
}

/// Lines, one behind the other.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
}

impl Batch {
    /// Has no line any more, and room for as many as usual.
    fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(MAX_ROOM);
        self.ends.clear();
        self.ends.shrink_to(MAX_ROOM / 64);
    }

    fn push(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.ends.push(self.bytes.len());
    }

    /// The end of the line that `at` is in.
    fn end_of_line(&self, at: usize) -> usize {
        let line = self.ends.partition_point(|end| *end <= at);
        self.ends.get(line).copied().unwrap_or(self.bytes.len())
    }

    fn is_line_start(&self, at: usize) -> bool {
        at == 0 || self.ends.binary_search(&at).is_ok()
    }

    /// Where those lines end, from the start of one, that are written together.
    fn end_together(&self, start: usize) -> usize {
        let beyond = self.ends.partition_point(|end| *end <= start + TOGETHER);
        let last = beyond.checked_sub(1).and_then(|line| self.ends.get(line)).copied();
        last.filter(|end| *end > start).unwrap_or_else(|| self.end_of_line(start))
    }
}

impl Lines {
    /// Starts to write to `output`. `notice` makes the line that says how many were dropped.
    pub(super) fn start(
        output: File,
        dropped: DroppedLines,
        notice: fn(u64) -> String,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            dropped: dropped.clone(),
            handed: Condvar::new(),
            waiting: Mutex::default(),
            written: Condvar::new(),
        });
        let own = Arc::clone(&shared);
        let mut writer = LineWriter { dropped, noticed: 0, notice, output, torn: false };
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            let own = Thread(own);
            own.0.write_all(&mut writer);
        })?;
        Ok(Self(Arc::new(End(shared))))
    }

    /// Hands a line over, or drops it.
    pub(super) fn send(&self, line: &[u8]) {
        let shared = &self.0.0;
        let mut waiting = shared.waiting();
        if waiting.gone || waiting.unwritten() >= MAX_WAITING {
            return shared.dropped.add(1);
        }
        waiting.lines.push(line);
        if mem::take(&mut waiting.resting) {
            drop(waiting);
            shared.handed.notify_one();
        }
    }

    /// Waits until the lines so far are written or dropped, but not for an output that takes
    /// nothing. Returns whether they are.
    pub(super) fn flush(&self) -> bool {
        let shared = &self.0.0;
        let mut waiting = shared.waiting();
        waiting.hurried = true;
        shared.handed.notify_one();
        let last = waiting.batches.0 + u64::from(!waiting.lines.ends.is_empty());
        let unwritten = |waiting: &mut Waiting| waiting.batches.1 < last && !waiting.gone;
        let waited = shared.written.wait_timeout_while(waiting, MAX_FLUSH, unwritten);
        let (waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        waiting.batches.1 >= last
    }
}

/// For `tracing_subscriber`, which writes a whole line at a time.
impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.send(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.0.waiting().ended = true;
        self.0.handed.notify_one();
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.0.waiting().gone = true;
        self.0.written.notify_all();
    }
}

impl Waiting {
    /// The bytes that are not yet written.
    fn unwritten(&self) -> usize {
        self.taken + self.lines.bytes.len()
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes each batch until the end.
    fn write_all<W: Write>(&self, writer: &mut LineWriter<W>) {
        let mut batch = Batch::default();
        while self.next(&mut batch) {
            let mut start = 0;
            while start < batch.bytes.len() {
                // Otherwise an output that is slow would get a notice for each line.
                let caught_up = self.waiting().unwritten() <= MAX_WAITING / 2;
                let end = batch.end_together(start);
                writer.lines(&batch, start, end, caught_up);
                self.waiting().taken -= end - start;
                start = end;
            }
            batch.clear();
            self.pause();
        }
    }

    /// Exchanges `batch`, which has no line, for the lines that have come. Returns whether there are some:
    /// otherwise it is the end.
    fn next(&self, batch: &mut Batch) -> bool {
        let mut waiting = self.waiting();
        while waiting.lines.ends.is_empty() {
            if waiting.ended {
                return false;
            }
            waiting.resting = true;
            waiting = self.handed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.resting = false;
        waiting.batches.0 += 1;
        waiting.taken = waiting.lines.bytes.len();
        mem::swap(&mut waiting.lines, batch);
        true
    }

    /// Ends a batch, and lets lines gather unless somebody waits for them.
    fn pause(&self) {
        let mut waiting = self.waiting();
        waiting.batches.1 += 1;
        self.written.notify_all();
        let unhurried = |waiting: &mut Waiting| !waiting.ended && !waiting.hurried;
        let paused = self.handed.wait_timeout_while(waiting, PAUSE, unhurried);
        let (mut waiting, _) = paused.unwrap_or_else(PoisonError::into_inner);
        waiting.hurried = false;
    }
}

struct LineWriter<W> {
    dropped: DroppedLines,
    /// How many dropped lines a notice has told of.
    noticed: u64,
    notice: fn(u64) -> String,
    output: W,
    /// Whether the last line was written in part.
    torn: bool,
}

impl<W: Write> LineWriter<W> {
    /// Writes the lines from `start` to `end` together. Those that the output does not take are dropped.
    fn lines(&mut self, batch: &Batch, mut start: usize, end: usize, caught_up: bool) {
        while start < end {
            let ready = if caught_up { self.give_notice() } else { Ok(()) };
            if ready.and_then(|()| self.mend()).is_err() {
                self.dropped.add(1);
                start = batch.end_of_line(start);
                continue;
            }
            let written = self.write(batch.bytes.get(start..end).unwrap_or_default());
            start += written;
            if start < end {
                self.torn = !batch.is_line_start(start);
                self.dropped.add(1);
                start = batch.end_of_line(start);
            }
        }
    }

    /// Says how many lines were dropped since it last said so.
    fn give_notice(&mut self) -> io::Result<()> {
        let dropped = self.dropped.count();
        if dropped > self.noticed {
            self.mend()?;
            let notice = (self.notice)(dropped - self.noticed);
            let written = self.write(notice.as_bytes());
            if written < notice.len() {
                self.torn = written > 0;
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.noticed = dropped;
        }
        Ok(())
    }

    /// Ends a line that was written in part.
    fn mend(&mut self) -> io::Result<()> {
        if self.torn && self.write(b"\n") == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.torn = false;
        Ok(())
    }

    /// Writes until the output takes no more, and returns how many bytes it took.
    fn write(&mut self, bytes: &[u8]) -> usize {
        let mut written = 0;
        while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
            match self.output.write(rest) {
                Ok(0) => break,
                Ok(taken) => written += taken,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An output that takes so many bytes more.
    #[derive(Default)]
    struct Small {
        room: usize,
        written: String,
    }

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let fits = bytes.len().min(self.room);
            if fits == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= fits;
            self.written.push_str(str::from_utf8(&bytes[..fits]).unwrap());
            Ok(fits)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl LineWriter<Small> {
        fn line(&mut self, line: &[u8]) {
            self.all(&[line]);
        }

        fn all(&mut self, lines: &[&[u8]]) {
            let mut batch = Batch::default();
            lines.iter().for_each(|line| batch.push(line));
            self.lines(&batch, 0, batch.bytes.len(), true);
        }
    }

    fn writer(room: usize) -> LineWriter<Small> {
        let output = Small { room, ..Small::default() };
        let notice = |lines| format!("{lines} dropped\n");
        LineWriter { dropped: DroppedLines::default(), noticed: 0, notice, output, torn: false }
    }

    #[test]
    fn what_did_not_fit_is_told_once_and_what_was_torn_stands_alone() {
        let mut writer = writer(6);

        for line in ["one\n", "two\n", "three\n"] {
            writer.line(line.as_bytes());
        }
        assert_eq!((writer.output.written.as_str(), writer.dropped.count()), ("one\ntw", 2));
        writer.output.room = 100;
        for line in ["four\n", "five\n"] {
            writer.line(line.as_bytes());
        }

        assert_eq!(writer.output.written, "one\ntw\n2 dropped\nfour\nfive\n");
        assert_eq!(writer.dropped.count(), 2);
    }

    #[test]
    fn lines_that_are_written_together_are_dropped_one_by_one() {
        let mut writer = writer(9);

        writer.all(&[b"one\n", b"two\n", b"three\n", b"four\n"]);
        assert_eq!((writer.output.written.as_str(), writer.dropped.count()), ("one\ntwo\nt", 2));
        writer.output.room = 100;
        writer.all(&[b"five\n", b"six\n"]);

        assert_eq!(writer.output.written, "one\ntwo\nt\n2 dropped\nfive\nsix\n");
    }

    #[test]
    fn as_many_lines_are_written_together_as_a_pipe_takes_as_one() {
        let mut batch = Batch::default();
        for length in [1000, 3000, 96, 1, 5000, 10] {
            batch.push(&b"x".repeat(length));
        }

        let ends = [0, 4096, 4097, 9097].map(|start| batch.end_together(start));
        assert_eq!(ends, [4096, 4097, 9097, 9107]);
    }

    #[test]
    fn a_notice_that_did_not_fit_is_told_later() {
        let mut writer = writer(0);
        writer.line(b"one\n");
        writer.output.room = 5;
        writer.line(b"two\n");
        writer.output.room = 100;

        writer.line(b"three\n");

        assert_eq!(writer.output.written, "1 dro\n2 dropped\nthree\n");
    }

    #[test]
    fn what_waits_is_bounded_and_nobody_waits_for_an_output_that_takes_nothing() {
        let (reader, output) = io::pipe().unwrap();
        let output = File::from(std::os::fd::OwnedFd::from(output));
        let dropped = DroppedLines::default();
        let lines = Lines::start(output, dropped.clone(), |lines| format!("{lines} dropped\n"));
        let lines = lines.unwrap();
        let line = [b"x".repeat(1023), b"\n".to_vec()].concat();

        // More than the pipe and the queue take.
        (0..2048).for_each(|_| lines.send(&line));
        assert!(dropped.count() > 500, "{}", dropped.count());
        assert!(!lines.flush());
        let read = thread::spawn(|| io::read_to_string(reader).unwrap());
        assert!(lines.flush());
        lines.send(b"last\n");
        assert!(lines.flush());
        drop(lines);

        let read = read.join().unwrap();
        let notice = format!("\n{} dropped\nx", dropped.count());
        assert!(read.contains(&notice) && read.ends_with("x\nlast\n"));
        assert_eq!(read.matches("dropped").count(), 1);
    }
}
