"""The pages for people: each is useful without JavaScript, and has one module here."""
