DROP TABLE news_answers;
DROP TABLE news_fts;
DROP TABLE news;
