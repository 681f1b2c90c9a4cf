"""The page: what a person who runs the server looks at, with a browser."""
