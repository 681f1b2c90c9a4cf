"""A process of checkers without any library: what a pair says is what happens."""

import os
import sys
import time

from tastemaker.reinforce.checker_process import Equal, serve


def scripted() -> Equal:
    if sys.argv[0].endswith("never_ready"):
        os._exit(7)

    def equal(gold: str, answer: str) -> bool:
        if "loop" in answer:
            while True:
                pass
        if "sleep" in answer:
            time.sleep(1000)
        if "die" in answer:
            os._exit(3)
        if "raise" in answer:
            raise RecursionError
        if "print" in answer:
            print("1\n1")
        if "memory" in answer:
            return len(bytearray(1 << 40)) > 0
        return gold.casefold() == answer.casefold()

    return equal


if __name__ == "__main__":
    serve(scripted, float(sys.argv[1]), float(sys.argv[2]))
