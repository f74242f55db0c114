"""Segments in a real browser: decoded one by one they are the whole piece, to the sample."""

from base64 import b64encode
from pathlib import Path

import pytest

from tests.web.conftest import Opener
from tests.web.music import write
from tests.web.people import report

SECONDS = 24
COMPARE = """
const [bytes, done] = arguments;
(async () => {
  const ask = async (path, options) => {
    const answer = await fetch(path, options);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  const file = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
  const form = new FormData();
  form.append("file", new Blob([file]), "piece.flac");
  const track = await (await ask("/api/tracks/uploads", { method: "POST", body: form })).json();
  let job;
  do {
    // Asked all the time the server would have no time for the job, which steps back for others.
    await new Promise((later) => setTimeout(later, 100));
    job = await (await ask(`/api/jobs/${track.job_id}`)).json();
  } while (["waiting", "running"].includes(job.state));
  if (job.state !== "done") throw new Error(job.error);
  const path = `/api/tracks/${track.track_id}`;
  const { rendition, duration_samples } = await (await ask(path)).json();
  const context = new AudioContext({ sampleRate: 48000 });
  const decode = async (url) => context.decodeAudioData(await (await ask(url)).arrayBuffer());
  const whole = await decode(`${path}/audio`);
  const told = { job: job.progress, wanted: duration_samples, whole: whole.length };
  for (const codec of ["flac", "opus"]) {
    const joins = [];
    const worst = [];
    let at = 0;
    for (let number = 0; number < rendition.segments; number += 1) {
      const part = await decode(`${path}/segments/${number}?codec=${codec}`);
      const cut = codec === "opus" && number > 0 ? rendition.opus_preroll_samples : 0;
      joins.push(at);
      for (const channel of [0, 1]) {
        const heard = part.getChannelData(channel).subarray(cut);
        const wanted = whole.getChannelData(channel).subarray(at, at + heard.length);
        for (let place = 0; place < heard.length; place += 480) {
          let sum = 0;
          for (let sample = place; sample < Math.min(place + 480, heard.length); sample += 1)
            sum += (heard[sample] - wanted[sample]) ** 2;
          const window = (at + place) / 480;
          worst[window] = Math.max(worst[window] ?? 0, Math.sqrt(sum / 480));
        }
      }
      at += part.length - cut;
    }
    const near = joins.slice(1).flatMap((join) => [worst[join / 480 - 1], worst[join / 480]]);
    told[codec] = { samples: at, worst: Math.max(...worst), atJoins: Math.max(...near) };
  }
  return told;
})().then(done, (error) => done({ error: String(error) }));
"""


@pytest.mark.browser
@pytest.mark.timeout(150)
def test_segments_decoded_by_a_browser_are_the_whole_piece(browser: Opener, tmp_path: Path) -> None:
    piece = write(tmp_path / "piece.flac", SECONDS, title="Whole", artist="Noise")
    ann = browser()
    ann.arrive("Ann")
    ann.driver.set_script_timeout(100)
    told = ann.driver.execute_async_script(COMPARE, b64encode(piece.read_bytes()).decode())
    assert "error" not in told, told
    samples = SECONDS * 48_000
    assert (told["job"], told["wanted"], told["whole"]) == (1, samples, samples)
    assert told["flac"] == {"samples": samples, "worst": 0, "atJoins": 0}
    assert told["opus"]["samples"] == samples
    # A wrong join, or one sample too early or too late, would be the worst place of all.
    assert 0 < told["opus"]["atJoins"] < told["opus"]["worst"]
    report("segments in a browser", told["opus"])
