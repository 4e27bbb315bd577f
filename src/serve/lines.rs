//! Lines for an output that may be full, closed or never read.
//!
//! One thread writes them. Whoever has a line hands it over and goes on; if too much waits already,
//! the line is dropped. Dropped lines are counted, and a notice says how many, once the output takes
//! something again and has caught up.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use crate::event::DroppedLines;

/// The most bytes that wait.
const MAX_WAITING: usize = 1 << 20;

/// The most time that the end waits for the lines before it.
const MAX_FLUSH: Duration = Duration::from_secs(2);

/// The lines that wait for an output.
#[derive(Clone)]
pub(super) struct Lines {
    dropped: DroppedLines,
    queue: Sender<Message>,
    waiting: Arc<AtomicUsize>,
}

enum Message {
    Flush(Sender<()>),
    Line(Vec<u8>),
}

impl Lines {
    /// Starts to write to `output`. `notice` makes the line that says how many were dropped.
    pub(super) fn start(
        output: File,
        dropped: DroppedLines,
        notice: fn(u64) -> String,
    ) -> io::Result<Self> {
        let (queue, messages) = mpsc::channel();
        let lines = Self { dropped, queue, waiting: Arc::default() };
        let (dropped, waiting) = (lines.dropped.clone(), Arc::clone(&lines.waiting));
        let mut writer = LineWriter { dropped, noticed: 0, notice, output, torn: false };
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || writer.run(&messages, &waiting))?;
        Ok(lines)
    }

    /// Hands a line over, or drops it.
    pub(super) fn send(&self, line: &[u8]) {
        let waiting = self.waiting.fetch_add(line.len(), Ordering::SeqCst);
        let sent = waiting < MAX_WAITING && self.queue.send(Message::Line(line.to_owned())).is_ok();
        if !sent {
            self.waiting.fetch_sub(line.len(), Ordering::SeqCst);
            self.dropped.add(1);
        }
    }

    /// Waits until the lines so far are written or dropped, but not for an output that takes
    /// nothing. Returns whether they are.
    pub(super) fn flush(&self) -> bool {
        let (flushed, wait) = mpsc::channel();
        self.queue.send(Message::Flush(flushed)).is_ok() && wait.recv_timeout(MAX_FLUSH).is_ok()
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
    fn run(&mut self, messages: &Receiver<Message>, waiting: &AtomicUsize) {
        for message in messages {
            match message {
                // Whoever waits for it may have stopped waiting.
                Message::Flush(flushed) => drop(flushed.send(())),
                Message::Line(line) => {
                    // Otherwise an output that is slow would get a notice for each line.
                    let caught_up = waiting.load(Ordering::SeqCst) <= MAX_WAITING / 2;
                    self.line(&line, caught_up);
                    waiting.fetch_sub(line.len(), Ordering::SeqCst);
                }
            }
        }
    }

    fn line(&mut self, line: &[u8], caught_up: bool) {
        let notice = if caught_up { self.give_notice() } else { Ok(()) };
        if notice.and_then(|()| self.write(line)).is_err() {
            self.dropped.add(1);
        }
    }

    /// Says how many lines were dropped since it last said so.
    fn give_notice(&mut self) -> io::Result<()> {
        let dropped = self.dropped.count();
        if dropped > self.noticed {
            let notice = (self.notice)(dropped - self.noticed);
            self.write(notice.as_bytes())?;
            self.noticed = dropped;
        }
        Ok(())
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.torn {
            self.write_all(b"\n")?;
        }
        self.write_all(line)
    }

    fn write_all(&mut self, mut line: &[u8]) -> io::Result<()> {
        while !line.is_empty() {
            let written = match self.output.write(line) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
                written => written?,
            };
            line = line.get(written..).unwrap_or_default();
            self.torn = !line.is_empty() && (self.torn || written > 0);
        }
        Ok(())
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

    fn writer(room: usize) -> LineWriter<Small> {
        let output = Small { room, ..Small::default() };
        let notice = |lines| format!("{lines} dropped\n");
        LineWriter { dropped: DroppedLines::default(), noticed: 0, notice, output, torn: false }
    }

    #[test]
    fn what_did_not_fit_is_told_once_and_what_was_torn_stands_alone() {
        let mut writer = writer(6);

        for line in ["one\n", "two\n", "three\n"] {
            writer.line(line.as_bytes(), true);
        }
        assert_eq!((writer.output.written.as_str(), writer.dropped.count()), ("one\ntw", 2));
        writer.output.room = 100;
        for line in ["four\n", "five\n"] {
            writer.line(line.as_bytes(), true);
        }

        assert_eq!(writer.output.written, "one\ntw\n2 dropped\nfour\nfive\n");
        assert_eq!(writer.dropped.count(), 2);
    }

    #[test]
    fn a_notice_that_did_not_fit_is_told_later() {
        let mut writer = writer(0);
        writer.line(b"one\n", true);
        writer.output.room = 5;
        writer.line(b"two\n", true);
        writer.output.room = 100;

        writer.line(b"three\n", true);

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
